import type { App } from '../domain/app.ts';
import {
  type CheckLists,
  type CheckSettings,
  checkListKeys,
  readCheckSettings,
} from '../domain/check-settings.ts';
import type { Store } from '../store/store.ts';

/** Process types whose checks are left out. */
export function checkLists({ properties }: Pick<Store, 'properties'>, app: App): CheckLists {
  const list = (name: string) => properties.list(`app:${app.id}`, name);
  return { skipped: list(checkListKeys.skipped), disabled: list(checkListKeys.disabled) };
}

export function setCheckLists({ properties }: Pick<Store, 'properties'>, app: App, lists: CheckLists): void {
  properties.setList(`app:${app.id}`, checkListKeys.skipped, lists.skipped);
  properties.setList(`app:${app.id}`, checkListKeys.disabled, lists.disabled);
}

/** How the checks of an app are run now. */
export function checkSettingsOf(store: Pick<Store, 'properties'>, app: App): CheckSettings {
  return readCheckSettings(key => store.properties.resolve(app.id, key), checkLists(store, app));
}
