import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

/** Milliseconds between two looks at the clock; the time may be set anew meanwhile. */
const every = 30_000;

/** `HH:MM` by the host's clock, from 00:00 to 23:59. @throws invalid */
export function parseTimeOfDay(text: string): string {
  if (/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is not a time of day. Give hours and minutes as 03:30, or none.`,
  );
}

/** Milliseconds since the epoch of the last moment, now or before, at which the host's clock showed that time. */
export function lastTimeOfDay(time: string, now: Date): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const today = new Date(now);
  today.setHours(hours, minutes, 0, 0);
  if (today.getTime() <= now.getTime()) return today.getTime();
  today.setDate(today.getDate() - 1);
  return today.setHours(hours, minutes, 0, 0);
}

/**
 * Does work once a day at a time that may change. A time that passed while nothing watched is left out; work that fails is
 * logged and tried again the next day.
 */
export function createRebaseTimer(options: {
  readonly clock: Clock;
  readonly log: Log;
  /** HH:MM, or undefined for never. */
  readonly at: () => string | undefined;
  readonly work: (signal: AbortSignal) => Promise<void>;
}) {
  const { clock, log, at, work } = options;
  const stop = new AbortController();

  const watch = async (): Promise<void> => {
    let seen = clock.now().getTime();
    for (;;) {
      await clock.sleep(every, stop.signal);
      const time = at();
      const due = time === undefined ? undefined : lastTimeOfDay(time, clock.now());
      const missed = due !== undefined && due > seen;
      seen = clock.now().getTime();
      if (!missed) continue;
      await work(stop.signal).catch(error => {
        if (!stop.signal.aborted) log.error({ err: error }, 'the security rebuild at its set time failed');
      });
      // It may have taken until past the next time: one is enough.
      seen = clock.now().getTime();
    }
  };

  const watching = watch().catch(error => {
    if (!stop.signal.aborted)
      log.error({ err: error }, 'nothing watches for the time of the security rebuild');
  });
  return {
    async close(): Promise<void> {
      stop.abort();
      await watching;
    },
  };
}
