import { afterEach, describe, expect, it } from 'vitest';
import { createNightly } from '../../src/build/rebase-nightly.ts';
import { createRebaseTimer, lastTimeOfDay, parseTimeOfDay } from '../../src/build/rebase-timer.ts';
import type { Clock } from '../../src/system/clock.ts';
import { silentLog as log } from '../../src/system/log.ts';

/** A clock that moves when it is told to; sleepers wake when their time has come. */
function fakeClock(start: Date) {
  let now = start.getTime();
  const sleepers: { at: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => new Date(now),
    ticks: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        sleepers.push({ at: now + ms, wake: resolve });
      }),
  };
  const settled = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  return {
    clock,
    async pass(ms: number): Promise<void> {
      for (const end = now + ms; ; ) {
        const next = sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) {
          now = end;
          return;
        }
        sleepers.splice(sleepers.indexOf(next), 1);
        now = next.at;
        next.wake();
        await settled();
      }
    },
    jump: (ms: number) => {
      now += ms;
    },
  };
}

const minute = 60_000;
const at = (text: string) => new Date(`2026-11-24T${text}:00`);
let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

function open(start: Date, time: string | undefined, fails = false) {
  const { clock, pass, jump } = fakeClock(start);
  const runs: string[] = [];
  const set = { time };
  const timer = createRebaseTimer({
    clock,
    log,
    at: () => set.time,
    work: async () => {
      runs.push(clock.now().toTimeString().slice(0, 5));
      if (fails) throw new Error('no mirror');
    },
  });
  closing.push(timer.close);
  return { runs, pass, jump, set };
}

describe('the time of day of the security rebuild', () => {
  it('comes once a day', async () => {
    const { runs, pass } = open(at('03:00'), '03:30');
    await pass(29 * minute);
    expect(runs).toEqual([]);
    await pass(2 * minute);
    expect(runs).toEqual(['03:30']);
    await pass(23 * 60 * minute);
    expect(runs).toHaveLength(1);
    await pass(60 * minute);
    expect(runs).toEqual(['03:30', '03:30']);
  });

  it('may be set, changed and unset while the daemon runs', async () => {
    const { runs, pass, set } = open(at('03:00'), undefined);
    await pass(24 * 60 * minute);
    expect(runs).toEqual([]);
    set.time = '03:10';
    await pass(11 * minute);
    expect(runs).toEqual(['03:10']);
    set.time = '03:20';
    await pass(10 * minute);
    expect(runs).toEqual(['03:10', '03:20']);
    set.time = undefined;
    await pass(48 * 60 * minute);
    expect(runs).toHaveLength(2);
  });

  it('that passed before the daemon started is not made up for, one that passed in a long sleep of the host is', async () => {
    const { runs, pass, jump } = open(at('04:00'), '03:30');
    await pass(60 * minute);
    expect(runs).toEqual([]);
    jump(24 * 60 * minute);
    await pass(minute);
    expect(runs).toHaveLength(1);
  });

  it('comes again the next day after the work failed', async () => {
    const { runs, pass } = open(at('03:00'), '03:30', true);
    await pass(2 * 24 * 60 * minute);
    expect(runs).toHaveLength(2);
  });

  it('is of the day before when it is still to come', () => {
    expect(new Date(lastTimeOfDay('03:30', at('03:29')))).toEqual(new Date('2026-11-23T03:30:00'));
    expect(new Date(lastTimeOfDay('03:30', at('03:30')))).toEqual(at('03:30'));
  });

  it.each(['3:30', '24:00', '03:60', 'noon', ''])('is not %j', text => {
    expect(() => parseTimeOfDay(text)).toThrow(
      'is not a time of day. Give hours and minutes as 03:30, or none.',
    );
  });
});

describe('the work of the night', () => {
  it('rebuilds every stack of Debian packages, though one fails, and then rebases apps', async () => {
    const done: string[] = [];
    const spec = (kind: string) => ({ spec: { kind } });
    const stack = {
      list: () => [
        { stack: 'a', ...spec('debian') },
        { stack: 'a', ...spec('debian') },
        { stack: 'b', ...spec('debian') },
        { stack: 'company', ...spec('image') },
      ],
      rebuild: async (name: string) => {
        done.push(name);
        if (name === 'a') throw new Error('no mirror');
        return { generation: { number: 2 }, changed: [], made: true };
      },
    };
    const rebaseAll = async () => {
      done.push('rebase');
      return [];
    };
    await createNightly({ stack: stack as never, rebaseAll, log })(new AbortController().signal);
    expect(done).toEqual(['a', 'b', 'rebase']);
  });
});
