import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { listCopies } from './copies.ts';
import type { Store } from './store.ts';

const hour = 3_600_000;

export type DatabaseUpkeep = {
  readonly store: Pick<Store, 'damage' | 'copy' | 'changes' | 'events'>;
  readonly database: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
};

/** Once an hour, when something changed: every page is looked at, and copied. Call often; most calls do nothing. */
export function createDatabaseUpkeep({ store, database, clock, log }: DatabaseUpkeep): () => Promise<void> {
  let tried = Number.NEGATIVE_INFINITY;
  let copied: number | undefined;
  const newest = () => listCopies(database)[0]?.at.getTime() ?? Number.NEGATIVE_INFINITY;

  return async () => {
    const at = clock.now();
    if (store.changes() === copied || at.getTime() - Math.max(tried, newest()) < hour) return;
    tried = at.getTime();
    const damage = store.damage();
    if (damage === undefined) {
      copied = store.changes();
      store.copy(at);
      return;
    }
    const message = `The database is damaged (${damage}). Apps go on running. Look at the disk, stop the daemon and put back the newest copy: wherry database restore.`;
    log.error({ damage }, 'the database is damaged');
    // It may still take a line, and it may not.
    store.events.add({ at, kind: 'database', message });
  };
}
