import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { Store } from '../store/store.ts';

type Properties = Pick<Store['properties'], 'get' | 'set'>;

const key = 'deploy-lock';

/** Who keeps the app from being deployed, and since when; undefined when it may be. */
export function deployLockOf(properties: Properties, app: App): string | undefined {
  return properties.get(`app:${app.id}`, key);
}

export function setDeployLock(properties: Properties, app: App, lock: string | undefined): void {
  properties.set(`app:${app.id}`, key, lock);
}

/** @throws locked when somebody keeps the app from being deployed */
export function requireUnlocked(properties: Properties, app: App): void {
  const lock = deployLockOf(properties, app);
  if (lock === undefined) return;
  throw new WherryError('locked', `${app.name} currently has a deploy lock in place (${lock}). Exiting...`, {
    hint: `Run 'apps:unlock ${app.name}' to release the existing deploy lock`,
  });
}
