import type { App } from '../domain/app.ts';
import type { Store } from '../store/store.ts';
import type { PluginDefinition } from './api.ts';

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
  const stored = settingKey(name, key);
  return (
    (app ? store.properties.resolve(app.id, stored) : store.properties.get('global', stored)) ?? setting.usual
  );
}
