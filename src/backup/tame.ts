import { backupKey } from '../domain/backup-settings.ts';
import { type ProcessType, parseProcessType } from '../domain/names.ts';
import { proxyTypeKey } from '../domain/proxy-type.ts';
import { psKey } from '../domain/upkeep.ts';
import type { Store } from '../store/store.ts';

const web = parseProcessType('web');

/** An app that a drill starts. */
export type Drilled = {
  readonly name: string /** Whom visitors ask for. */;
  readonly host: string | undefined;
};

/**
 * Makes a restored database one that does no harm beside the real one: nothing starts by itself, only web processes start at all,
 * and no folder of the host is seen. Which apps ran when the backup was made.
 */
export function tame(store: Store): readonly Drilled[] {
  const drilled = store.apps.list().flatMap(app => {
    const scope = `app:${app.id}`;
    const live = store.releases.live(app);
    const types: readonly ProcessType[] = live
      ? store.images.get(live.image).processes.map(({ type }) => type)
      : [];
    const wanted = types.includes(web) && (store.formation.get(app).get(web) ?? 1) > 0;
    store.formation.set(app, new Map(types.map(type => [type, type === web ? 1 : 0])));
    const mounts = store.properties.list(scope, 'storage').filter(text => !text.startsWith('/'));
    store.properties.setList(scope, 'storage', mounts);
    store.properties.set(scope, 'asleep', undefined);
    store.properties.set(scope, psKey('restart-policy'), 'no');
    store.properties.set(scope, psKey('stop-timeout-seconds'), '1');
    store.apps.setStopped(app, true);
    if (!wanted || app.stopped) return [];
    return [{ name: app.name, host: store.domains.list(app)[0]?.replace(/^\*\./, 'drill.') }];
  });
  for (const name of [proxyTypeKey, 'rebase-at', backupKey('schedule'), backupKey('to')])
    store.properties.set('global', name, undefined);
  return drilled;
}
