import { type CronTask, nextRun } from '../domain/cron-task.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

/** A task of an app, as it may be run now. */
export type Entry = { readonly app: string; readonly task: CronTask };

/** What runs tasks; joined to the pipeline in daemon.ts. */
export interface Workers {
  /** Of all apps that are deployed and not stopped, without what is suspended. */
  entries(): readonly Entry[];
  /** Names of the instances in which the task still runs. */
  running(entry: Entry): Promise<readonly string[]>;
  /** Starts it. @throws WherryError why it does not start */
  run(entry: Entry): Promise<void>;
  stop(entry: Entry, name: string): Promise<void>;
  /** Tells people that a run was left out, or did not start. */
  tell(entry: Entry, kind: 'cron-skipped' | 'cron-failed', message: string): void;
}

/** Minutes of the past that are made up for when the clock jumped or the daemon was away; what was due longer ago is not. */
const catchUp = 5 * 60_000;

/** Starts what is due, once for each time that it is due. */
export class Timetable {
  readonly #workers: Workers;
  readonly #clock: Clock;
  readonly #log: Log;
  #seenUntil: number;

  constructor({ workers, clock, log }: { workers: Workers; clock: Clock; log: Log }) {
    this.#workers = workers;
    this.#clock = clock;
    this.#log = log;
    this.#seenUntil = clock.now().getTime();
  }

  /** Call every few seconds. Resolves when what was due is started. */
  async tick(): Promise<void> {
    const now = this.#clock.now().getTime();
    const from = Math.max(this.#seenUntil, now - catchUp);
    if (now <= from) return;
    this.#seenUntil = now;
    const due = this.#workers.entries().filter(({ task }) => isDue(task, from, now));
    await Promise.all(due.map(entry => this.#start(entry)));
  }

  async #start(entry: Entry): Promise<void> {
    const { concurrency, command } = entry.task;
    try {
      const running = concurrency === 'allow' ? [] : await this.#workers.running(entry);
      if (concurrency === 'forbid' && running.length > 0) {
        this.#workers.tell(entry, 'cron-skipped', `"${command}" was due while ${running[0]} still runs it.`);
        return;
      }
      for (const name of running) await this.#workers.stop(entry, name);
      await this.#workers.run(entry);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#workers.tell(entry, 'cron-failed', `"${command}" could not be started: ${why}`);
      this.#log.warn({ err: error, app: entry.app }, 'a cron task was not started');
    }
  }
}

function isDue(task: CronTask, from: number, now: number): boolean {
  return nextRun(task, new Date(from)).getTime() <= now;
}
