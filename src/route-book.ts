import type { AppName } from './domain/names.ts';
import type { Route, Target } from './domain/route.ts';
import type { AppState, TargetSink } from './runtime/runtime.ts';
import type { Store } from './store/store.ts';

/** Whatever takes snapshots to the edge. */
export type Publisher = {
  publish(routes: readonly Route[]): Promise<void>;
  drained(targets: readonly string[], timeout: number): Promise<void>;
};

/**
 * Joins what the runtime says of an app (its targets) with what the store says (its domains) into whole snapshots. It is the
 * runtime's TargetSink; neither side knows the other.
 */
export type RouteBook = TargetSink & {
  /** After domains changed. */
  publish(): Promise<void>;
  forget(app: AppName): void;
};

const undeployed: AppState = {
  kind: 'undeployed',
  reason: 'Nothing has been deployed to this app yet. Push to it first.',
};

export function createRouteBook(store: Store, publisher: Publisher): RouteBook {
  const states = new Map<AppName, { state: AppState; targets: readonly Target[] }>();
  let running = Promise.resolve();
  let waiting: Promise<void> | undefined;

  const routes = (): Route[] => {
    const domains = store.domains.byApp();
    return store.apps.list().map(app => {
      const { state, targets } = states.get(app.name) ?? { state: undeployed, targets: [] };
      return {
        app: app.name,
        domains: domains.get(app.id) ?? [],
        state: state.kind,
        ...(state.reason === undefined ? {} : { reason: state.reason }),
        targets,
      };
    });
  };

  /** Changes that come while a snapshot is on its way share the next one. */
  const publish = (): Promise<void> => {
    waiting ??= running.then(() => {
      waiting = undefined;
      running = publisher.publish(routes());
      return running;
    });
    return waiting;
  };

  return {
    publish,
    set(app, state, targets) {
      states.set(app, { state, targets });
      return publish();
    },
    drained: (targets, timeout) => publisher.drained(targets, timeout),
    forget: app => void states.delete(app),
  };
}
