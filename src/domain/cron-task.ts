import { createHash } from 'node:crypto';
import { Cron } from 'croner';

/** A command that app.json wants to run at times. */
export type CronTask = {
  /** Names it: equal for equal schedule and command, whatever else changes. */
  readonly id: string;
  readonly command: string;
  /** Five fields, or a name as `@daily`; in UTC. */
  readonly schedule: string;
  /** What happens when it is due while it still runs. */
  readonly concurrency: 'allow' | 'forbid' | 'replace';
};

/** Why a schedule cannot be used; undefined when it can. */
export function scheduleFault(schedule: string): string | undefined {
  try {
    if (cronOf(schedule).nextRun() === null) return 'is never due';
  } catch {
    return 'is not a schedule of five fields, as "*/5 * * * *", or a name, as "@daily"';
  }
  return undefined;
}

export function cronTask(given: Omit<CronTask, 'id'>): CronTask {
  const id = createHash('sha256').update(`${given.schedule}\0${given.command}`).digest('hex').slice(0, 12);
  return { id, ...given };
}

/** The first time after `from` at which it is due. */
export function nextRun({ schedule }: Pick<CronTask, 'schedule'>, from: Date): Date {
  // What was stored was checked: there is one.
  return cronOf(schedule).nextRun(from) as Date;
}

function cronOf(schedule: string): Cron {
  return new Cron(schedule, { paused: true, mode: '5-part', timezone: 'UTC' });
}
