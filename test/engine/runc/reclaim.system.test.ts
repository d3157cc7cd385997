import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { createEngineHost, type EngineHost, mib } from './host.ts';

let host: EngineHost;
let engine: Engine;

beforeAll(async () => {
  host = await createEngineHost('reclaim');
  engine = host.create();
  await engine.open();
});
afterAll(async () => {
  await engine.purge();
  await host.cleanUp();
});

/** A control file of an instance, whichever version the host has. */
const control = (id: string, [v1 = '', v2 = '']: readonly [string, string]) => {
  const path = join('/sys/fs/cgroup/memory', `wherry-${host.tag}`, 'app', id, v1);
  return existsSync(path) ? path : join('/sys/fs/cgroup', `wherry-${host.tag}`, 'app', id, v2);
};
const number = (id: string, files: readonly [string, string]) =>
  Number(readFileSync(control(id, files), 'utf8'));
const usage = ['memory.usage_in_bytes', 'memory.current'] as const;
const limit = ['memory.limit_in_bytes', 'memory.max'] as const;

test('what a frozen instance has read leaves memory, what it holds stays, and its limit is what it was', async () => {
  const spec = host.spec(
    'dd if=/dev/zero of=/dev/shm/held bs=1M count=10 2>/dev/null; dd if=/dev/zero of=/tmp/read bs=1M count=30 conv=fsync 2>/dev/null; echo read; exec sleep 1000',
  );
  await engine.create(spec);
  await engine.start(spec.id);
  await expect.poll(async () => (await readFile(spec.logFile, 'utf8')).includes('read')).toBe(true);
  await engine.freeze(spec.id);
  expect(number(spec.id, usage)).toBeGreaterThan(39 * mib);
  const freed = await engine.reclaim(spec.id);
  const left = number(spec.id, usage);
  expect(left).toBeLessThan(20 * mib);
  expect(left).toBeGreaterThan(10 * mib);
  expect(freed).toBeGreaterThan(25 * mib);
  expect(number(spec.id, limit)).toBe(64 * mib);

  // As after a kill of the platform in the middle of it.
  writeFileSync(control(spec.id, limit), String(left + mib));
  await engine.thaw(spec.id);
  expect(number(spec.id, limit)).toBe(64 * mib);
});
