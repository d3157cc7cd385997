import type { App } from './domain/app.ts';
import type { Answers } from './domain/error-page.ts';
import type { AppName } from './domain/names.ts';
import type { HoldPolicy, Route, Target } from './domain/route.ts';
import type { AppState, TargetSink } from './runtime/runtime.ts';
import type { Store } from './store/store.ts';

/** Whatever takes snapshots to the edge. */
export type Publisher = {
  publish(routes: readonly Route[]): Promise<void>;
  drained(targets: readonly string[], timeout: number): Promise<void>;
  quiet(targets: readonly string[]): boolean;
};

/** What the settings of an app say about its requests. */
export type RouteRules = {
  /** How requests wait for it; undefined when it never sleeps. */
  readonly hold: (app: App) => HoldPolicy | undefined;
  /** What the edge answers in its place. */
  readonly answers: (app: App) => Answers;
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
  let complete = false;
  let running = Promise.resolve();
  let waiting: Promise<void> | undefined;

  const routeOf = (app: App, domains: readonly string[]): Route => {
    const { state, targets } = serving.get(app.name) ?? undeployed;
    const hold = rules.hold(app);
    return {
      app: app.name,
      domains,
      state: state.kind,
      ...(state.reason === undefined ? {} : { reason: state.reason }),
      targets,
      ...(hold && { hold }),
      ...rules.answers(app),
    };
  };

  const readAll = (): void => {
    const domains = store.domains.byApp();
    routes = new Map(store.apps.list().map(app => [app.name, routeOf(app, domains.get(app.id) ?? [])]));
  };

  /** Changes that come while a snapshot is on its way share the next one. */
  const send = (): Promise<void> => {
    waiting ??= running.then(() => {
      waiting = undefined;
      running = publisher.publish([...routes.values()]);
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
