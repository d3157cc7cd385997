import type { App } from './domain/app.ts';
import { isFor } from './domain/certificate.ts';
import type { Answers } from './domain/error-page.ts';
import { domainsDisabledKey } from './domain/global-domains.ts';
import type { AppName } from './domain/names.ts';
import type {
  CertificateRef,
  EdgePolicy,
  HoldPolicy,
  Route,
  RoutePolicy,
  RoutePort,
  Routing,
  Target,
} from './domain/route.ts';
import type { AppState, TargetSink } from './runtime/runtime.ts';
import type { Store } from './store/store.ts';

/** Whatever takes snapshots to the edge. */
export type Publisher = {
  publish(routing: Routing, pem: (certificate: string) => string | undefined): Promise<void>;
  drained(targets: readonly string[], timeout: number): Promise<void>;
  quiet(targets: readonly string[]): boolean;
};

/** What settings say about requests. */
export type RouteRules = {
  /** How requests wait for it; undefined when it never sleeps. */
  readonly hold: (app: App) => HoldPolicy | undefined;
  /** What the edge answers in its place. */
  readonly answers: (app: App) => Answers;
  readonly policy: (app: App) => RoutePolicy | undefined;
  /** At which ports of its own it is served. */
  readonly ports: (app: App) => readonly RoutePort[];
  /** How all connections are taken. */
  readonly edge: () => EdgePolicy | undefined;
  readonly proofs: Proofs;
  /** Routes that are of no app. */
  readonly others: () => readonly Route[];
};

/** What proves to certificate authorities now that hosts are ours. */
export type Proofs = {
  /** To be answered at port 80, by token. */
  readonly answers: () => Readonly<Record<string, string>>;
  /** To be shown at port 443. */
  readonly certificates: () => readonly CertificateRef[];
  readonly pem: (certificate: string) => string | undefined;
};

/**
 * Joins what the runtime says of an app (its targets) with what the store says (its domains) into whole snapshots. It is the
 * runtime's TargetSink; neither side knows the other. Until the first `publish` nothing goes out: what the runtime has found by then
 * is not all, and an edge that already serves everything would be told to drop the rest.
 */
export type RouteBook = TargetSink & {
  /** After domains changed; and once, first, when the runtime has told of every app. */
  publish(): Promise<void>;
  forget(app: AppName): void;
};

type Serving = { readonly state: AppState; readonly targets: readonly Target[] };

const undeployed: Serving = {
  state: { kind: 'undeployed', reason: 'Nothing has been deployed to this app yet. Push to it first.' },
  targets: [],
};

export function createRouteBook(store: Store, publisher: Publisher, rules: RouteRules): RouteBook {
  const serving = new Map<AppName, Serving>();
  /** As last published; an app whose instances change is the only one made anew. */
  let routes = new Map<AppName, Route>();
  let certificates: readonly CertificateRef[] = [];
  let edge: EdgePolicy | undefined;
  let complete = false;
  let running = Promise.resolve();
  let waiting: Promise<void> | undefined;

  const routeOf = (app: App, domains: readonly string[]): Route => {
    const { state, targets } = serving.get(app.name) ?? undeployed;
    const hold = rules.hold(app);
    const policy = rules.policy(app);
    const ports = rules.ports(app);
    return {
      app: app.name,
      domains: store.properties.get(`app:${app.id}`, domainsDisabledKey) === 'true' ? [] : domains,
      state: state.kind,
      ...(state.reason === undefined ? {} : { reason: state.reason }),
      targets,
      ...(hold && { hold }),
      ...rules.answers(app),
      ...(policy && { policy }),
      ...(ports.length > 0 && { ports }),
    };
  };

  const pemOf = (id: string): string | undefined => {
    const proof = rules.proofs.pem(id);
    if (proof !== undefined) return proof;
    const found = store.certificates.all().find(certificate => certificate.id === id);
    const key = store.certificates.key(id);
    return found && key && `${found.chain}${key}`;
  };

  const readAll = (): void => {
    const domains = store.domains.byApp();
    certificates = [...certificatesFor(store, domains), ...rules.proofs.certificates()];
    edge = rules.edge();
    routes = new Map(store.apps.list().map(app => [app.name, routeOf(app, domains.get(app.id) ?? [])]));
  };

  /** Changes that come while a snapshot is on its way share the next one. */
  const send = (): Promise<void> => {
    waiting ??= running.then(() => {
      waiting = undefined;
      const challenges = rules.proofs.answers();
      const routing = {
        routes: [...routes.values(), ...rules.others()],
        ...(certificates.length > 0 && { certificates }),
        ...(edge && { edge }),
        ...(Object.keys(challenges).length > 0 && { challenges }),
      };
      running = publisher.publish(routing, pemOf);
      return running;
    });
    return waiting;
  };

  return {
    publish() {
      complete = true;
      readAll();
      return send();
    },
    set(name, state, targets) {
      serving.set(name, { state, targets });
      if (!complete) return Promise.resolve();
      const app = store.apps.find(name);
      if (app) routes.set(name, routeOf(app, store.domains.list(app)));
      return send();
    },
    drained: (targets, timeout) => publisher.drained(targets, timeout),
    quiet: targets => publisher.quiet(targets),
    forget: app => void serving.delete(app),
  };
}

/**
 * Which certificate each host is shown: an app's own one for its own domains alone, so that none answers for another app's names;
 * everybody's where it has none. Of several, the one that came last.
 */
function certificatesFor(
  store: Store,
  domains: ReadonlyMap<number, readonly string[]>,
): readonly CertificateRef[] {
  const all = store.certificates.all();
  const shared = all.filter(({ appId }) => appId === null);
  const own = all.filter(({ appId }) => appId !== null);
  return [
    ...shared.map(({ id, names }, at): CertificateRef => {
      return { id, names, ...(at === shared.length - 1 && { fallback: true }) };
    }),
    ...own.map(({ id, names, appId }): CertificateRef => {
      const hosts = domains.get(appId ?? 0) ?? [];
      return { id, names: hosts.filter(host => names.some(name => isFor(name, host))) };
    }),
  ];
}
