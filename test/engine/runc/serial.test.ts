import { expect, test } from 'vitest';
import { createSerial } from '../../../src/engine/runc/serial.ts';

test('works of one name follow each other, those of others do not wait, and a failure stops nobody', async () => {
  const serial = createSerial();
  const order: string[] = [];
  const work = (name: string, pause: number) => async () => {
    await new Promise(resolve => setTimeout(resolve, pause));
    order.push(name);
  };
  const first = serial('a', async () => {
    await work('a1', 30)();
    throw new Error('broken');
  });
  const second = serial('a', work('a2', 0));
  const other = serial('b', work('b1', 0));
  await expect(first).rejects.toThrow('broken');
  await Promise.all([second, other]);
  expect(order).toEqual(['b1', 'a1', 'a2']);
});
