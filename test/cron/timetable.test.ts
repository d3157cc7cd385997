import { describe, expect, it } from 'vitest';
import { type Entry, Timetable, type Workers } from '../../src/cron/timetable.ts';
import { type CronTask, cronTask, nextRun, scheduleFault } from '../../src/domain/cron-task.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLog as log } from '../../src/system/log.ts';

const minute = 60_000;

function bench(...tasks: Omit<CronTask, 'id'>[]) {
  let now = Date.parse('2026-11-24T08:58:30Z');
  const ran: string[] = [];
  const stopped: string[] = [];
  const told: string[] = [];
  let running: string[] = [];
  let fault: Error | undefined;
  const workers: Workers = {
    entries: () => tasks.map((task): Entry => ({ app: 'blog', task: cronTask(task) })),
    running: async () => running,
    async run({ task }) {
      if (fault) throw fault;
      ran.push(`${new Date(now).toISOString().slice(11, 16)} ${task.command}`);
    },
    stop: async (_entry, name) => void stopped.push(name),
    tell: (_entry, kind, message) => told.push(`${kind}: ${message}`),
  };
  const timetable = new Timetable({ workers, clock: { ...systemClock, now: () => new Date(now) }, log });
  return {
    ...{ ran, stopped, told, timetable },
    runs: (...names: string[]) => (running = names),
    fail: (error: Error) => (fault = error),
    async pass(ms: number, step = 5000) {
      for (const end = now + ms; now < end; ) {
        now += Math.min(step, end - now);
        await timetable.tick();
      }
    },
  };
}

const every5 = { schedule: '*/5 * * * *', command: 'work', concurrency: 'allow' } as const;

describe('a timetable', () => {
  it('starts each task once for each time that it is due', async () => {
    const { pass, ran } = bench(every5, { ...every5, schedule: '@hourly', command: 'hour' });
    await pass(12 * minute);
    expect(ran).toEqual(['09:00 work', '09:00 hour', '09:05 work', '09:10 work']);
  });

  it('makes up for little that was missed, once, and for no more', async () => {
    const soon = bench(every5);
    await soon.pass(3 * minute, 3 * minute);
    expect(soon.ran).toHaveLength(1);
    const late = bench({ ...every5, schedule: '0 9 * * *' });
    await late.pass(60 * minute, 60 * minute);
    expect(late.ran).toEqual([]);
  });

  it('starts nothing twice when the clock goes back', async () => {
    const { pass, ran, timetable } = bench(every5);
    await pass(2 * minute);
    await pass(-30_000, 30_000);
    await timetable.tick();
    await timetable.tick();
    expect(ran).toHaveLength(1);
  });

  it.each([
    ['allow', 1, [], []],
    ['forbid', 0, [], ['cron-skipped: "work" was due while run.1 still runs it.']],
    ['replace', 1, ['run.1', 'run.2'], []],
  ] as const)('with %s starts %d while it runs', async (concurrency, starts, ends, words) => {
    const { pass, ran, runs, stopped, told } = bench({ ...every5, concurrency });
    runs('run.1', 'run.2');
    await pass(2 * minute);
    expect(ran).toHaveLength(starts);
    expect([stopped, told]).toEqual([ends, words]);
  });

  it('tells what does not start, and goes on', async () => {
    const { pass, told, fail } = bench(every5);
    fail(new Error('no memory'));
    await pass(8 * minute);
    expect(told).toEqual(Array(2).fill('cron-failed: "work" could not be started: no memory'));
  });
});

describe('a task', () => {
  it('has an id of its schedule and command alone', () => {
    const { id } = cronTask(every5);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect(cronTask({ ...every5, concurrency: 'forbid' }).id).toBe(id);
    expect(cronTask({ ...every5, command: 'other' }).id).not.toBe(id);
  });

  it.each(['* * * * *', '*/15 9-17 * * MON-FRI', '@daily', '0 0 1 1 *'])('may be due at %s', schedule =>
    expect(scheduleFault(schedule)).toBeUndefined(),
  );

  it.each([
    ['* * * * * *', 'is not a schedule of five fields'],
    ['61 * * * *', 'is not a schedule'],
    ['soon', 'is not a schedule'],
    ['', 'is not a schedule'],
    ['0 0 31 2 *', 'is never due'],
    ['@reboot', 'is not a schedule'],
  ])('is refused for %j', (schedule, fault) => expect(scheduleFault(schedule)).toContain(fault));

  it('is due in UTC', () => {
    const task = cronTask({ ...every5, schedule: '30 2 * * *' });
    expect(nextRun(task, new Date('2026-03-29T00:00:00Z')).toISOString()).toBe('2026-03-29T02:30:00.000Z');
  });
});
