import { backupKey } from '../domain/backup-settings.ts';
import { nextRun } from '../domain/cron-task.ts';
import { WherryError } from '../domain/errors.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Backups } from './backups.ts';

/** When backups are made by themselves, and since when that is so. */
export type Schedule = { readonly schedule: string; readonly since: Date };

export function readSchedule(store: Pick<Store, 'properties'>): Schedule | undefined {
  const text = store.properties.get('global', backupKey('schedule'));
  if (text === undefined) return undefined;
  const { schedule, since } = JSON.parse(text) as { schedule: string; since: string };
  return { schedule, since: new Date(since) };
}

/** Undefined ends it. */
export function writeSchedule(store: Pick<Store, 'properties'>, schedule: Schedule | undefined): void {
  store.properties.set('global', backupKey('schedule'), schedule && JSON.stringify(schedule));
}

/** Whether one is due that nobody has tried to make since. One that was missed while the daemon was away is. */
function isDue({ schedule, since }: Schedule, last: Date | undefined, now: Date): boolean {
  return nextRun({ schedule }, last !== undefined && last > since ? last : since) <= now;
}

/** Makes a backup when it is due. To be called every half minute; resolves when it is made, or failed and that is told. */
export function createBackupTimer(options: {
  readonly store: Store;
  readonly backups: Pick<Backups, 'make' | 'last' | 'running'>;
  readonly clock: Clock;
  readonly log: Log;
}): (signal: AbortSignal) => Promise<void> {
  const { store, backups, clock, log } = options;
  const progress = {
    header() {},
    step: (text: string) => log.info({}, text),
    detail() {},
    raw() {},
    warn: (text: string) => log.warn({}, text),
  };
  return async signal => {
    const schedule = readSchedule(store);
    const last = backups.last();
    if (!schedule || backups.running() || !isDue(schedule, last && new Date(last.at), clock.now())) return;
    try {
      const made = await backups.make({}, { progress, signal });
      log.info({ id: made.id, to: made.to, added: made.added, seconds: made.seconds }, 'backed up');
    } catch (error) {
      // Its event says it to people.
      if (!(error instanceof WherryError)) log.error({ err: error }, 'the backup that was due failed');
      else log.warn({ reason: error.message }, 'the backup that was due failed');
    }
  };
}
