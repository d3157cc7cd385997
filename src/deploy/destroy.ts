import type { App } from '../domain/app.ts';
import type { Store } from '../store/store.ts';

const key = 'destroying';

/** Apps of which a crash left a part: nothing of them may be started any more. */
export function unfinishedDestroys(store: Store): readonly App[] {
  return store.apps.list().filter(app => store.properties.get(`app:${app.id}`, key) !== undefined);
}

/** From now on the app goes, whatever happens meanwhile. */
export function beginDestroy(store: Store, app: App): void {
  store.properties.set(`app:${app.id}`, key, 'yes');
}

/** All that the database has of it, in one step. */
export function removeFromStore(store: Store, app: App): void {
  store.transaction(() => {
    store.properties.clear(`app:${app.id}`);
    store.credentials.clear(app);
    store.apps.remove(app);
  });
}
