import { expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import type { CommandCheck } from '../../src/domain/image.ts';
import type { ExecSpec } from '../../src/engine/engine.ts';
import { runCommand } from '../../src/runtime/check-probe.ts';
import { programPause, untilPasses } from '../../src/runtime/probe.ts';
import { type Clock, systemClock } from '../../src/system/clock.ts';

const check: CommandCheck = {
  command: ['check', 'it'],
  interval: 100,
  timeout: 1000,
  retries: 2,
  startPeriod: 0,
};
/** Time that passes only while somebody sleeps. */
function steppedClock(): Clock {
  let at = 0;
  return {
    ...systemClock,
    ticks: () => at,
    sleep: async milliseconds => {
      at += milliseconds;
    },
  };
}

/** Milliseconds until the instance was taken for ready. */
const wait = async (
  exec: (options: ExecSpec) => Promise<number>,
  times: Partial<CommandCheck> = {},
  { clock = systemClock, signal = new AbortController().signal } = {},
) => {
  const since = clock.ticks();
  const engine = { exec: async (_: string, options: ExecSpec) => await exec(options) };
  const { command, timeout, ...count } = { ...check, ...times };
  await untilPasses({
    ...{ clock, count, pause: programPause(count), since, signal },
    attempt: async () =>
      await runCommand({ engine, id: 'web.1' }, command, { what: 'its HEALTHCHECK', timeout, signal }),
  });
  return clock.ticks() - since;
};

it('runs the program of a HEALTHCHECK until it ends with status 0', async () => {
  const asked: (readonly string[])[] = [];
  await wait(async ({ argv }) => (asked.push(argv) < 4 ? 1 : 0), { interval: 10, startPeriod: 5000 });
  expect(asked).toEqual([check.command, check.command, check.command, check.command]);
});

it('gives up after as many failures as the check allows, an interval apart, with its last words', async () => {
  const start = performance.now();
  const failing = wait(async ({ onOutput }) => {
    onOutput(Buffer.from('asking\nno database\n'), 'stderr');
    return 7;
  });
  await expect(failing).rejects.toThrow('its HEALTHCHECK ends with status 7: "no database"');
  expect(performance.now() - start).toBeGreaterThan(190);
});

it('does not count failures of the start period', async () => {
  const time = steppedClock();
  const soon = async () => (time.ticks() > 400 ? 0 : 1);
  expect(await wait(soon, { startPeriod: 2000 }, { clock: time })).toBe(500);
  const failing = wait(async () => 1, { startPeriod: 200 }, { clock: steppedClock() });
  await expect(failing).rejects.toThrow('not ready within 0 s');
  const slow = wait(async () => 1, { startPeriod: 2000 }, { clock: steppedClock() });
  await expect(slow).rejects.toThrow('not ready within 2 s');
});

it('ends a program that takes too long', async () => {
  const hanging = ({ signal }: ExecSpec) =>
    new Promise<number>(resolve => signal?.addEventListener('abort', () => resolve(137)));
  await expect(wait(hanging, { timeout: 50, interval: 10 })).rejects.toThrow(
    'its HEALTHCHECK takes longer than 0.05 s',
  );
});

it('counts an instance that does not run as a failure, and lets a fault of the platform through', async () => {
  const gone = async () => Promise.reject(new WherryError('conflict', 'Instance web.1 does not run.'));
  await expect(wait(gone, { interval: 10 })).rejects.toThrow('does not run');
  await expect(wait(async () => Promise.reject(new Error('fault')))).rejects.toThrow('fault');
});

it('stops with whoever waits', async () => {
  await expect(wait(async () => 1, {}, { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
});
