import type { App } from '../domain/app.ts';
import type { Store } from '../store/store.ts';
import type { PluginDefinition } from './api.ts';

/** Of all: the host name that endpoints of plugins are found at. */
export const pluginDomainKey = 'plugin-domain';

/** The name that a plugin's setting is stored under. */
export function settingKey(plugin: string, key: string): string {
  return `plugin:${plugin}:${key}`;
}

/** As it holds for an app, or for all. @throws Error for one that the plugin does not have */
export function settingOf(
  store: Store,
  { name, settings }: PluginDefinition,
  { key, app }: { key: string; app: App | undefined },
): string | undefined {
  const setting = settings?.[key];
  if (!setting) throw new Error(`plugin ${name} has no setting ${key}`);
  if (setting.secret) {
    const secret = { plugin: name, name: key };
    return (app && store.pluginSecrets.get(secret, app)) ?? store.pluginSecrets.get(secret, undefined);
  }
  const stored = settingKey(name, key);
  return (
    (app ? store.properties.resolve(app.id, stored) : store.properties.get('global', stored)) ?? setting.usual
  );
}

/** As reports show it: what was set for an app, or for all, itself; of a secret only that it is set. */
export function shownSetting(
  store: Store,
  { name, settings }: PluginDefinition,
  { key, app }: { key: string; app: App | undefined },
): string {
  if (settings?.[key]?.secret)
    return store.pluginSecrets.get({ plugin: name, name: key }, app) === undefined ? '' : secretIsSet;
  return store.properties.get(app ? `app:${app.id}` : 'global', settingKey(name, key)) ?? '';
}

/** In place of a secret. */
export const secretIsSet = '(set)';
