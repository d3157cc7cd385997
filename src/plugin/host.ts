import type { Registry } from '../commands/registry.ts';
import { WherryError } from '../domain/errors.ts';
import type { Domain } from '../domain/names.ts';
import type { Route } from '../domain/route.ts';
import { type Hooks, hookOfEvent } from '../hooks.ts';
import type { Log } from '../system/log.ts';
import { createEndpoints } from './endpoints.ts';
import { builtInFolder, foldersIn } from './folders.ts';
import { createHookCaller } from './hook-caller.ts';
import { createInstalled, type InstallOptions } from './installed.ts';
import { loadPlugin, type PluginFolder } from './load.ts';
import type { ToolParts } from './make-tools.ts';
import { Plugin, type PluginView } from './plugin.ts';
import { pluginDomainKey } from './settings.ts';

export type PluginHostOptions = ToolParts & {
  /** Where the commands of enabled plugins are. */
  readonly registry: Pick<Registry, 'add' | 'remove' | 'namespace' | 'explainAbsent'>;
  /** Where installed ones are kept. */
  readonly dir: string;
  /** Of the plugins that come with Wherry, unless told. */
  readonly builtIn?: string;
  readonly log: Log;
};

/** In place of an app's name, which has no `_`. */
const pluginsRoute = '_plugins';

/** Every plugin of this daemon: what it brings while it is enabled, and what it failed at. */
export type PluginHost = ReturnType<typeof createPluginHost>;

export function createPluginHost(options: PluginHostOptions) {
  const { store, log, builtIn = builtInFolder } = options;
  const plugins = new Map<string, Plugin>();
  const installed = createInstalled({ store, dir: options.dir });

  const key = (name: string) => `plugin:${name}`;
  const wanted = (plugin: Plugin): boolean =>
    (store.properties.get('global', key(plugin.name)) ?? plugin.usually) === 'enabled';

  const get = (name: string): Plugin => {
    const plugin = plugins.get(name);
    if (plugin) return plugin;
    throw new WherryError('not-found', `There is no plugin named ${name}. See plugin:list.`);
  };

  const add = async (folder: PluginFolder, origin: 'built-in' | 'installed') => {
    const loaded = await loadPlugin(folder, options.clock);
    const plugin = new Plugin({ ...folder, ...loaded, origin }, options);
    plugins.set(plugin.name, plugin);
    return plugin;
  };

  /** @throws conflict */
  const requireFree = (name: string): void => {
    if (plugins.has(name))
      throw new WherryError('conflict', `There is a plugin named ${name} already. See plugin:list.`);
    if (options.registry.namespace(name).length > 0)
      throw new WherryError('conflict', `Plugin ${name} has the name of commands that Wherry has already.`);
  };

  let installing = false;
  const install = async (from: string, how: InstallOptions): Promise<PluginView> => {
    const plugin = await add(await installed.install(from, how, requireFree), 'installed');
    try {
      await plugin.begin();
    } catch (error) {
      plugins.delete(plugin.name);
      options.registry.explainAbsent(plugin.name, undefined);
      await installed.remove(plugin.name);
      throw error;
    }
    store.properties.set('global', key(plugin.name), 'enabled');
    return plugin.view();
  };

  const endpoints = createEndpoints({
    answerer: name => plugins.get(name)?.endpoint,
    failed: (name, error) => plugins.get(name)?.failed('endpoint', error),
    clock: options.clock,
  });
  let port: number | undefined;
  const domain = () => store.properties.get('global', pluginDomainKey) as Domain | undefined;

  const hooks = createHookCaller(
    () => [...plugins.values()].filter(plugin => plugin.runs).flatMap(plugin => plugin.participants),
    { clock: options.clock, kept: store.pluginNotices },
  );

  store.events.watch(({ at, app = null, kind, message, actor = null }) => {
    const hook = hookOfEvent[kind];
    if (hook) hooks.tell(hook, { app, at: at.toISOString(), message, actor });
  });

  return {
    hooks: hooks as Hooks,
    /** What the edge brings to plugins; none where no domain is set, or an app has it. */
    routes(): readonly Route[] {
      const host = domain();
      const isApps = host !== undefined && store.domains.owner(host) !== undefined;
      if (host === undefined || port === undefined || isApps) return [];
      const target = { id: pluginsRoute, host: '127.0.0.1', port };
      return [{ app: pluginsRoute, domains: [host], state: 'serving', targets: [target] }];
    },
    /** Where endpoints are found; nowhere without one. @throws conflict for the domain of an app */
    async setDomain(host: Domain | undefined): Promise<void> {
      const owner = host === undefined ? undefined : store.domains.owner(host);
      if (owner !== undefined)
        throw new WherryError(
          'conflict',
          `Domain ${host} is already used by app ${owner}. Remove it there first.`,
        );
      store.properties.set('global', pluginDomainKey, host);
      if (host !== undefined) port = await endpoints.listen();
      await options.applyRoutes();
    },
    domain,
    /** Loads and begins all; one that cannot is left out, and says why in its report. */
    async open(): Promise<void> {
      for (const folder of await foldersIn(builtIn)) await add(folder, 'built-in');
      for (const folder of await installed.open())
        if (!plugins.has(folder.name)) await add(folder, 'installed');
      for (const plugin of plugins.values())
        if (wanted(plugin)) await plugin.begin().catch(error => plugin.failed('start', error));
      if (domain() !== undefined) {
        port = await endpoints.listen();
        await options.applyRoutes();
      }
      const names = [...plugins.values()].filter(plugin => plugin.runs).map(plugin => plugin.name);
      log.info({ plugins: names }, 'plugins run');
      hooks.resume();
    },
    list: (): readonly PluginView[] => [...plugins.values()].map(plugin => plugin.view()),
    /** @throws not-found */
    view: (name: string): PluginView => get(name).view(),
    /** @throws not-found, conflict when its commands or itself cannot be used */
    async enable(name: string): Promise<PluginView> {
      const plugin = get(name);
      await plugin.begin();
      store.properties.set('global', key(name), 'enabled');
      return plugin.view();
    },
    /** What it set for apps stays. @throws not-found */
    async disable(name: string): Promise<PluginView> {
      const plugin = get(name);
      store.properties.set('global', key(name), 'disabled');
      await plugin.end();
      return plugin.view();
    },
    /**
     * Of a folder of this host or an npm package; it takes part from now on.
     * @throws invalid when it is no plugin or cannot be used, conflict when its name is taken, unavailable when npm cannot get it
     */
    async install(from: string, how: InstallOptions): Promise<PluginView> {
      if (installing)
        throw new WherryError('locked', 'Another plugin is being installed. Try again when it is done.');
      installing = true;
      try {
        return await install(from, how);
      } finally {
        installing = false;
      }
    },
    /** What it set for apps stays. @throws not-found, invalid for one that comes with Wherry */
    async uninstall(name: string): Promise<void> {
      const plugin = get(name);
      if (plugin.view().origin === 'built-in')
        throw new WherryError(
          'invalid',
          `Plugin ${name} comes with Wherry. Disable it: plugin:disable ${name}`,
        );
      await plugin.end();
      plugins.delete(name);
      options.registry.explainAbsent(name, undefined);
      store.properties.set('global', key(name), undefined);
      await installed.remove(name);
    },
    async close(): Promise<void> {
      hooks.stop();
      await endpoints.close();
      await Promise.all([...plugins.values()].map(plugin => plugin.end()));
    },
  };
}
