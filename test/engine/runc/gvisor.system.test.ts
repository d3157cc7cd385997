import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { hasProgram } from '../../../src/system/exec.ts';
import { createEngineHost, type EngineHost, mib, tracesOf } from './host.ts';

let host: EngineHost;
let engine: Engine;

beforeAll(async () => {
  host = await createEngineHost('gvisor');
  engine = host.create();
  await engine.open();
});

afterAll(async () => {
  await engine.purge();
  await host.cleanUp();
});

const spec = (script: string) =>
  host.spec(script, { isolation: 'gvisor', limits: { memory: 256 * mib, pids: 256 } });

describe.skipIf(!hasProgram('runsc'))('an instance under gVisor', () => {
  test('has a kernel of its own, its files, its address and its limits, and no rights', async () => {
    const folder = join(host.root, 'shared');
    await writeFile(folder, 'given\n');
    const asked = {
      ...spec(
        '{ id -u; dmesg | head -1; cat /given; ip addr; grep Cap /proc/self/status; echo x > /bin/x; } 2>&1; sleep 100',
      ),
      mounts: [{ source: folder, target: '/given', readonly: true }],
    };
    const { address } = await engine.create(asked);
    await engine.start(asked.id);
    await expect
      .poll(() => readFile(asked.logFile, 'utf8'), { timeout: 20_000 })
      .toMatch(/denied|read-only/i);
    const text = (await readFile(asked.logFile, 'utf8')).replace(/^\S+ \S+ F /gm, '');
    expect(text).toMatch(/^1000$/m);
    expect(text).toContain('Starting gVisor');
    expect(text).toMatch(/^given$/m);
    expect(text).toContain(address);
    expect(text.match(/^Cap\w+:\s+0{16}$/gm)).toHaveLength(4);
    expect(await engine.stats(asked.id)).toMatchObject({ memoryLimit: 256 * mib, pidsLimit: 256 });
    expect((await engine.stats(asked.id)).memory).toBeGreaterThan(mib);
    const said: Buffer[] = [];
    const inside = {
      argv: ['sh', '-c', 'dmesg | head -1; exit 3'],
      onOutput: (chunk: Buffer) => said.push(chunk),
    };
    expect(await engine.exec(asked.id, inside)).toBe(3);
    expect(said.join('')).toContain('Starting gVisor');
    await engine.freeze(asked.id);
    await engine.thaw(asked.id);
    await engine.remove(asked.id);
    expect(await engine.list()).toEqual([]);
  });

  test('is told to end as any other, and ends with its own status', async () => {
    const { id, logFile } = await engine.create(
      spec('trap "echo asked; exit 5" TERM; echo up; while :; do sleep 0.1; done'),
    );
    await engine.start(id);
    await expect.poll(() => readFile(logFile, 'utf8'), { timeout: 20_000 }).toContain('up');
    await engine.signal(id, 'SIGTERM');
    expect(await engine.wait(id)).toMatchObject({ code: 5 });
    expect(await readFile(logFile, 'utf8')).toContain('asked');
    await engine.remove(id);
  });

  test('does not reach another instance', async () => {
    const other = host.spec('exec nc -ll -p 8080 -e echo hello');
    const { address } = await engine.create(other);
    await engine.start(other.id);
    const { id, logFile } = await engine.create(spec(`nc -w 2 ${address} 8080 </dev/null; echo end $?`));
    await engine.start(id);
    await engine.wait(id);
    expect(await readFile(logFile, 'utf8')).toMatch(/end [1-9]/);
    await engine.remove(id);
    await engine.remove(other.id);
  });

  test('that takes more memory than it may is killed, and that is told', async () => {
    const { id } = await engine.create(spec('tail /dev/zero'));
    await engine.start(id);
    expect(await engine.wait(id)).toMatchObject({ code: 137, oom: { scope: 'instance' } });
    await engine.remove(id);
  });

  test('leaves nothing behind', async () => {
    const { id } = await engine.create(spec('sleep 100'));
    await engine.start(id);
    await engine.purge();
    expect(await tracesOf(host)).toEqual([]);
    engine = host.create();
    await engine.open();
  });
});

test('gVisor that is not installed is asked for in vain', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '/sbin';
  try {
    await expect(engine.create(spec('true'))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('gVisor is not installed on this host'),
    });
    expect(await engine.list()).toEqual([]);
  } finally {
    process.env['PATH'] = path;
  }
});
