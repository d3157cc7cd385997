import { expect, test } from 'vitest';
import { createLatest } from '../../../src/engine/runc/latest.ts';

test('whoever asks while it runs shares one run that begins after it, also after a failure', async () => {
  let runs = 0;
  const waiting: ((error?: Error) => void)[] = [];
  const latest = createLatest(() => {
    runs += 1;
    return new Promise<void>((resolve, reject) => waiting.push(error => (error ? reject(error) : resolve())));
  });
  const first = latest();
  const [second, third] = [latest(), latest()];
  expect(runs).toBe(1);
  waiting[0]?.(new Error('no room'));
  await expect(first).rejects.toThrow('no room');
  await new Promise(resolve => setImmediate(resolve));
  expect(runs).toBe(2);
  waiting[1]?.();
  await Promise.all([second, third]);
  void latest();
  expect(runs).toBe(3);
});
