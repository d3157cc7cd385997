import type { App } from '../domain/app.ts';
import { edgeKey } from '../domain/edge-settings.ts';
import { defaultDomains } from '../domain/global-domains.ts';
import type { AppName, Domain } from '../domain/names.ts';
import type { Store } from '../store/store.ts';

const key = 'renamed-from';

/** Apps whose rename is not yet complete: something on the host still has the old name. */
export function unfinishedRenames(store: Store): readonly { readonly app: App; readonly from: AppName }[] {
  return store.apps.list().flatMap(app => {
    const from = renamedFrom(store, app);
    return from === undefined ? [] : [{ app, from }];
  });
}

function renamedFrom(store: Store, app: App): AppName | undefined {
  return store.properties.get(`app:${app.id}`, key) as AppName | undefined;
}

/** From now on nothing on the host has the old name, unless the app was renamed again meanwhile. */
export function finishRename(store: Store, app: App, from: AppName): void {
  if (renamedFrom(store, app) === from) store.properties.set(`app:${app.id}`, key, undefined);
}

/**
 * All that the database has under the app's name, in one step; what lies on the host follows. Default domains change with it,
 * others stay. @throws conflict when another app has the new default domain
 */
export function renameInStore(
  store: Store,
  { app, name, under, stop }: { app: App; name: AppName; under: readonly Domain[]; stop: boolean },
): App {
  return store.transaction(() => {
    const old = defaultDomains(app.name, under);
    const fresh = defaultDomains(name, under);
    const domains = store.domains.list(app).map(domain => fresh[old.indexOf(domain)] ?? domain);
    store.properties.set(`app:${app.id}`, key, app.name);
    store.apps.rename(app, name);
    store.events.rename(app.name, name);
    store.audit.rename(app.name, name);
    const catchAll = edgeKey('catch-all');
    if (store.properties.get('global', catchAll) === app.name) store.properties.set('global', catchAll, name);
    store.domains.set(app, [...new Set(domains)]);
    if (stop) store.apps.setStopped(app, true);
    return store.apps.get(name);
  });
}
