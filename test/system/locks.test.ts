import { expect, it } from 'vitest';
import { createLocks } from '../../src/system/locks.ts';

const gate = () => {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { open, opened };
};

it('lets one in at a time, in the order they came', async () => {
  const locks = createLocks();
  const first = gate();
  const order: string[] = [];
  const one = locks.with('app', { holder: 'one', wait: 1000 }, async () => {
    await first.opened;
    order.push('one');
  });
  const two = locks.with(
    'app',
    { holder: 'two', wait: 1000, onWait: holder => order.push(`two waits for ${holder}`) },
    async () => void order.push('two'),
  );
  const three = locks.with('app', { holder: 'three', wait: 1000 }, async () => void order.push('three'));
  first.open();
  await Promise.all([one, two, three]);
  expect(order).toEqual(['two waits for one', 'one', 'two', 'three']);
  expect(locks.holder('app')).toBeUndefined();
});

it('names the holder when the wait is over, and the queue goes on without the one that left', async () => {
  let time = 0;
  const locks = createLocks(() => time);
  const first = gate();
  const one = locks.with('app', { holder: 'the deploy of abc', wait: 1000 }, () => first.opened);
  time = 300_000;
  await expect(locks.with('app', { holder: 'two', wait: 10 }, async () => {})).rejects.toThrow(
    'App app has been busy with the deploy of abc for 5 min. Try again when it is done.',
  );
  first.open();
  await one;
  await expect(locks.with('app', { holder: 'three', wait: 10 }, async () => 'in')).resolves.toBe('in');
});

it('frees the lock when the work throws', async () => {
  const locks = createLocks();
  await expect(
    locks.with('app', { holder: 'one', wait: 10 }, () => Promise.reject(new Error('no'))),
  ).rejects.toThrow('no');
  await expect(locks.with('app', { holder: 'two', wait: 10 }, async () => 'in')).resolves.toBe('in');
});

it('lets a waiter whose client is gone leave', async () => {
  const locks = createLocks();
  const first = gate();
  const gone = new AbortController();
  const one = locks.with('app', { holder: 'one', wait: 1000 }, () => first.opened);
  const two = locks.with('app', { holder: 'two', wait: 1000, signal: gone.signal }, async () => {});
  gone.abort(new Error('gone'));
  await expect(two).rejects.toThrow('gone');
  first.open();
  await one;
});
