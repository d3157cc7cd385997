import type { App } from '../domain/app.ts';
import { maintenanceKey } from '../domain/error-page.ts';
import { httpAuthKey, readHttpAuth } from '../domain/http-auth.ts';
import { type AppName, parseAppName } from '../domain/names.ts';
import { readRedirects, redirectsKey } from '../domain/redirect.ts';
import { parseRemoteUrl } from '../domain/remote-url.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { PluginDefinition } from './api.ts';
import { pluginDomainKey, settingOf } from './settings.ts';
import type { AppView, EdgeRules, Tools } from './tools.ts';

/** What Wherry lends to plugins. */
export type ToolParts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly urls: (app: App) => readonly string[];
  /** Tells the edge what has changed. */
  readonly applyRoutes: () => Promise<void>;
  /** `by` is who it is done by, as builds show it. */
  readonly deploy: (app: App, from: { url: URL; branch: string; by: string }) => Promise<void>;
  /** To other hosts, not to ours. */
  readonly post: (url: URL, json: string, signal: AbortSignal) => Promise<number>;
};

export function makeTools(
  definition: PluginDefinition,
  { store, clock, urls, applyRoutes, deploy, post }: ToolParts,
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
  const scopeOf = (name: string | undefined) => (name === undefined ? 'global' : `app:${find(name).id}`);
  const keptKey = (name: string) => `kept:${definition.name}:${name}`;
  return {
    apps: () => store.apps.list().map(view),
    hasApp: name => store.apps.find(name as AppName) !== undefined,
    app: name => view(find(name)),
    setting: (key, name) =>
      settingOf(store, definition, { key, app: name === undefined ? undefined : find(name) }),
    kept: (name, app) => store.properties.get(scopeOf(app), keptKey(name)),
    keep: (name, text, app) => store.properties.set(scopeOf(app), keptKey(name), text),
    endpointUrl(path) {
      const domain = store.properties.get('global', pluginDomainKey);
      return domain && `https://${domain}/${definition.name}${path}`;
    },
    deploy: async (name, { repository, branch }) =>
      await deploy(find(name), { url: parseRemoteUrl(repository), branch, by: definition.name }),
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
  const get = (key: string) => properties.get(`app:${id}`, key);
  return {
    maintenance: get(maintenanceKey) === 'true',
    redirects: readRedirects(get(redirectsKey)),
    httpAuth: readHttpAuth(get(httpAuthKey)),
  };
}

function putRules({ properties }: Store, { id }: App, rules: Partial<EdgeRules>): void {
  const put = (key: string, value: string | undefined) => properties.set(`app:${id}`, key, value);
  const { maintenance, redirects, httpAuth } = rules;
  if (maintenance !== undefined) put(maintenanceKey, maintenance ? 'true' : undefined);
  if (redirects !== undefined)
    put(redirectsKey, Object.keys(redirects).length > 0 ? JSON.stringify(redirects) : undefined);
  if (httpAuth !== undefined) put(httpAuthKey, JSON.stringify(httpAuth));
}
