import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine, EngineEvent } from '../../../src/engine/engine.ts';
import { exec } from '../../../src/system/exec.ts';
import { unmountBelow } from '../../../src/system/mounts.ts';
import { createEngineHost, type EngineHost, mib, tracesOf } from './host.ts';

let host: EngineHost;
let engine: Engine;

const limits = { memory: 64 * mib, pids: 20, disk: 16 * mib };

describe.each([
  ['mapped', true],
  ['not mapped', false],
])('what an instance writes, its users %s', (_, mapUsers) => {
  beforeAll(async () => {
    host = await createEngineHost('disk');
    engine = host.create({ mapUsers });
    await engine.open();
  });
  afterAll(async () => {
    await engine.purge();
    expect(await tracesOf(host)).toEqual([]);
    await host.cleanUp();
  });

  test('is no more than its disk limit, and that is told once', async () => {
    const events: EngineEvent[] = [];
    const leave = engine.subscribe(event => events.push(event));
    const { id, logFile } = await engine.create(
      host.spec('{ dd if=/dev/zero of=/tmp/all bs=1024k count=64; ls -l /tmp/all; } 2>&1; sleep 100', {
        limits,
      }),
    );
    await engine.start(id);
    await expect
      .poll(() => events.filter(({ kind }) => kind === 'disk'), { timeout: 20_000 })
      .toHaveLength(1);
    expect(events.find(({ kind }) => kind === 'disk')).toEqual({ kind: 'disk', id, limit: 16 * mib });
    expect(await readFile(logFile, 'utf8')).toMatch(/No space left on device/);
    const { disk } = await engine.stats(id);
    expect(disk?.limit).toBe(16 * mib);
    expect(disk?.used).toBeGreaterThan(10 * mib);
    expect(disk?.used).toBeLessThanOrEqual(16 * mib);
    await engine.updateLimits(id, { memory: 128 * mib, pids: 20 });
    expect((await engine.stats(id)).disk?.limit).toBe(16 * mib);
    leave();
    expect(events.filter(({ kind }) => kind === 'disk')).toHaveLength(1);
    await engine.remove(id);
  });

  test('is its own, is kept over a restart and a reboot of the host, and is found afterwards', async () => {
    const { id, logFile } = await engine.create(
      host.spec('echo x >> /tmp/kept; ls -n /tmp; cat /tmp/kept; rm /bin/busybox 2>&1', { limits }),
    );
    await engine.start(id);
    expect(await engine.wait(id)).toHaveProperty('code');
    await engine.close();
    await unmountBelow(`/run/wherry-${host.tag}`);
    const record = await readFile(join(host.engineRoot, 'instances', id, 'spec.json'), 'utf8');
    const { network } = JSON.parse(record) as { network: { name: string } };
    await exec('ip', ['netns', 'delete', network.name]);
    await unmountBelow(host.engineRoot);
    await rm(`/run/wherry-${host.tag}`, { recursive: true, force: true });
    engine = host.create({ mapUsers });
    await engine.open();
    await engine.start(id);
    await engine.wait(id);
    const text = (await readFile(logFile, 'utf8')).replace(/^\S+ \S+ F /gm, '');
    expect(text).toMatch(/ 1000 +1000 .* kept$/m);
    expect(text).toMatch(/^x\nx$/m);
    expect(await readFile(join(await engine.written(id), 'tmp', 'kept'), 'utf8')).toBe('x\nx\n');
    await engine.remove(id);
  });
});
