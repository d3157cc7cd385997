import { expect, it } from 'vitest';
import { awaited, Turns } from '../../src/runtime/turns.ts';
import { systemClock } from '../../src/system/clock.ts';

/** Time passes when it is told to. */
const handClock = () => {
  const sleepers = new Set<() => void>();
  const sleep = (_: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      sleepers.add(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  const pass = () => {
    for (const wake of sleepers) wake();
  };
  return { clock: { ...systemClock, sleep }, pass };
};
const settled = () => new Promise(setImmediate);

it('lets few begin at once, in the order of their coming', async () => {
  const turns = new Turns({ atOnce: 2, longest: 1000, clock: handClock().clock });
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  for (const number of [1, 2, 3, 4, 5])
    void turns.take(0).then(end => {
      begun.push(number);
      ends.push(end);
    });
  await settled();
  expect(begun).toEqual([1, 2]);
  ends[1]?.();
  await settled();
  expect(begun).toEqual([1, 2, 3]);
  ends[0]?.();
  ends[2]?.();
  await settled();
  expect(begun).toEqual([1, 2, 3, 4, 5]);
});

it('does not let those who take long keep others from their turn, and gives no turn twice', async () => {
  const { clock, pass } = handClock();
  const turns = new Turns({ atOnce: 1, longest: 1000, clock });
  const end = await turns.take(0);
  let begun = 0;
  const next = () => void turns.take(0).then(() => (begun += 1));
  next();
  next();
  await settled();
  expect(begun).toBe(0);
  pass();
  await settled();
  expect(begun).toBe(1);
  end();
  end();
  await settled();
  expect(begun).toBe(1);
});

it('lets those begin first whom visitors wait for, then those of the lower rank', async () => {
  const { clock } = handClock();
  const turns = new Turns({ atOnce: 1, longest: 1000, clock });
  const begun: string[] = [];
  const begin = (name: string, rank: number) =>
    void turns.take(rank).then(end => {
      begun.push(name);
      end();
    });
  const end = await turns.take(0);
  begin('second', 2);
  begin('third', 2);
  begin('first', 0);
  begin('awaited', awaited);
  end();
  for (let turn = 0; turn < 5; turn++) await settled();
  expect(begun).toEqual(['awaited', 'first', 'second', 'third']);
});
