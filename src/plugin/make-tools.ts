import type { App } from '../domain/app.ts';
import { maintenanceKey } from '../domain/error-page.ts';
import { parseAppName } from '../domain/names.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { PluginDefinition } from './api.ts';
import { settingOf } from './settings.ts';
import type { AppView, EdgeRules, Tools } from './tools.ts';

/** What Wherry lends to plugins. */
export type ToolParts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly urls: (app: App) => readonly string[];
  /** Tells the edge what has changed. */
  readonly applyRoutes: () => Promise<void>;
  /** To other hosts, not to ours. */
  readonly post: (url: URL, json: string, signal: AbortSignal) => Promise<number>;
};

export function makeTools(
  definition: PluginDefinition,
  { store, clock, urls, applyRoutes, post }: ToolParts,
  failed: Tools['failed'],
): Tools {
  const find = (name: string): App => store.apps.get(parseAppName(name));
  const view = (app: App): AppView => ({
    name: app.name,
    urls: urls(app),
    domains: store.domains.list(app),
    branch: app.deployBranch,
    version: store.releases.live(app)?.version ?? null,
  });
  return {
    apps: () => store.apps.list().map(view),
    app: name => view(find(name)),
    setting: (key, name) =>
      settingOf(store, definition, { key, app: name === undefined ? undefined : find(name) }),
    note: (app, message) =>
      store.events.add({
        at: clock.now(),
        app: app === null ? undefined : find(app).name,
        kind: definition.name,
        message,
      }),
    failed,
    sleep: clock.sleep,
    post: async (url, body, signal) => await post(new URL(url), JSON.stringify(body), signal),
    edgeRules: name => rulesOf(store, find(name)),
    async setEdgeRules(name, rules) {
      putRules(store, find(name), rules);
      await applyRoutes();
    },
  };
}

function rulesOf({ properties }: Store, { id }: App): EdgeRules {
  return { maintenance: properties.get(`app:${id}`, maintenanceKey) === 'true' };
}

function putRules({ properties }: Store, { id }: App, { maintenance }: Partial<EdgeRules>): void {
  if (maintenance !== undefined)
    properties.set(`app:${id}`, maintenanceKey, maintenance ? 'true' : undefined);
}
