import { nextRun } from '../domain/cron-task.ts';
import { about, type Finding } from './finding.ts';
import type { Host } from './host.ts';

/** What is known of backups, where they are set up. */
export type BackupState = {
  readonly schedule: string | undefined;
  /** How the last one ended; undefined when it worked. */
  readonly error: string | undefined;
  /** Of the last one that worked. */
  readonly lastGood: Date | undefined;
};

const { ok, warn, fail } = about('backups');

export async function checkBackups(
  host: Pick<Host, 'version'>,
  state: BackupState | undefined,
  now: Date,
): Promise<Finding[]> {
  if (state === undefined) return [];
  if ((await host.version('restic', 'version')) === undefined)
    return [
      fail(
        'Backups are set up, and the program restic is missing',
        'apt-get install restic, or run bin/setup',
      ),
    ];
  return [judge(state, now)];
}

function judge(state: BackupState, now: Date): Finding {
  const { schedule, error, lastGood } = state;
  const good =
    lastGood === undefined ? 'none worked yet' : `the last that worked is of ${lastGood.toISOString()}`;
  if (error !== undefined)
    return fail(`The last backup failed: ${error} (${good})`, 'Put that right, then: wherry backup');
  if (lastGood === undefined)
    return warn('Backups are set up, and none was made yet', 'Make one: wherry backup');
  if (schedule !== undefined && twoRunsAfter(schedule, lastGood) < now)
    return warn(`Backups are overdue: ${good}`, 'See "wherry backup:report" and the log of the daemon');
  return ok(`The last backup is of ${lastGood.toISOString()}`);
}

function twoRunsAfter(schedule: string, from: Date): Date {
  return nextRun({ schedule }, nextRun({ schedule }, from));
}
