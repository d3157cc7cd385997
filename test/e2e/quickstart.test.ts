import { expect, it } from 'vitest';
import { run } from '../support/run.ts';

it('the quickstart holds on this machine', async () => {
  const root = new URL('../..', import.meta.url).pathname;
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const told = await run(`${root}bin/quickstart`, [], { env, timeout: 280_000 });
  expect(told.code, told.output).toBe(0);
  expect(told.stdout).toContain('Everything held');
});
