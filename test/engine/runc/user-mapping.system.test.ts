import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine, InstanceSpec } from '../../../src/engine/engine.ts';
import { mappedIds } from '../../../src/engine/runc/user-mapping.ts';
import { busyboxLayer } from '../busybox-layer.ts';
import { createEngineHost, type EngineHost, mib, tracesOf } from './host.ts';

let host: EngineHost;
let engine: Engine;

beforeAll(async () => {
  host = await createEngineHost('users');
  engine = host.create();
  await engine.open();
});

afterAll(async () => {
  await engine.purge();
  await host.cleanUp();
});

async function start(script: string, changes: Partial<InstanceSpec> = {}) {
  const spec = host.spec(script, changes);
  await engine.create(spec);
  await engine.start(spec.id);
  return spec;
}

async function output(script: string, changes: Partial<InstanceSpec> = {}): Promise<string> {
  const { id, logFile } = await start(`{ ${script}; } 2>&1`, changes);
  await engine.wait(id);
  return (await readFile(logFile, 'utf8')).replace(/^\S+ \S+ F /gm, '').trim();
}

async function processOf(id: string): Promise<string> {
  const status = (await engine.list()).find(instance => instance.id === id)?.status;
  return `/proc/${status?.kind === 'running' ? status.pid : 0}`;
}

describe('the user of an instance', () => {
  test('is one of its image inside, and another outside whom nothing on the host belongs to', async () => {
    const { id } = await start('exec sleep 1000');
    const outside = mappedIds.apps.first + 1000;
    const status = await readFile(join(await processOf(id), 'status'), 'utf8');
    expect(status).toMatch(new RegExp(`^Uid:(\\s+${outside}){4}$`, 'm'));
    expect(status).toMatch(new RegExp(`^Gid:(\\s+${outside}){4}$`, 'm'));
    expect(status).toMatch(/^CapBnd:\s+0{16}$/m);
    const inside: Buffer[] = [];
    await engine.exec(id, { argv: ['id', '-u'], onOutput: chunk => inside.push(chunk) });
    expect(inside.join('')).toBe('1000\n');
    await engine.remove(id);
  });

  test('owns what its image says, writes it, and leaves plain ids on the disk', async () => {
    const { id, logFile } = await start(
      '{ echo mine > /tmp/mine; ls -ln / | grep bin; ls -ln /tmp; echo x > /bin/x; } 2>&1',
    );
    await engine.wait(id);
    const text = await readFile(logFile, 'utf8');
    expect(text).toMatch(/ 0 +0 .* bin$/m);
    expect(text).toMatch(/ 1000 +1000 .* mine$/m);
    expect(text).toMatch(/Permission denied/);
    const { uid, gid } = await stat(join(await engine.written(id), 'tmp', 'mine'));
    expect({ uid, gid }).toEqual({ uid: 1000, gid: 1000 });
    await engine.remove(id);
  });

  test('opens its own output again, as programs do that log to /dev/stdout', async () => {
    expect(await output('echo out > /dev/stdout; echo err > /dev/stderr')).toBe('out\nerr');
  });

  test('uses folders of the host as their owners let it, and gains nothing by a setuid file', async () => {
    const folder = join(host.root, 'shared');
    await mkdir(folder);
    await writeFile(join(folder, 'own'), 'before\n');
    await writeFile(join(folder, 'root'), 'secret\n', { mode: 0o600 });
    await chown(folder, 1000, 1000);
    await writeFile(join(folder, 'all'), '');
    await chmod(join(folder, 'all'), 0o666);
    await chown(join(folder, 'own'), 1000, 1000);
    await writeFile(join(folder, 'setuid'), '#!/bin/sh\nid -u\n');
    await chmod(join(folder, 'setuid'), 0o6755);
    const text = await output(
      [
        'cd /shared; cat own; echo after > own; echo made > made; echo all > all && cat all',
        'cat root; echo bad > root; chmod 666 root; ls -n root; ./setuid; cp /bin/busybox ./id; chmod 6755 id; ./id',
      ].join('; '),
      { mounts: [{ source: folder, target: '/shared', readonly: false }] },
    );
    expect(text).toMatch(/^before\nall$/m);
    expect(text.match(/denied|not permitted/gi)).toHaveLength(3);
    expect(text).toMatch(/ 0 +0 .* root$/m);
    expect(text).toMatch(/^1000$/m);
    expect(text).toMatch(/uid=1000 gid=1000/);
    expect(await readFile(join(folder, 'root'), 'utf8')).toBe('secret\n');
    expect(await readFile(join(folder, 'own'), 'utf8')).toBe('after\n');
    const { uid, gid } = await stat(join(folder, 'made'));
    expect({ uid, gid }).toEqual({ uid: 1000, gid: 1000 });
  });

  test('sees a single file of the host, to read only', async () => {
    const file = join(host.root, 'file');
    await writeFile(file, 'text\n');
    await chown(file, 1000, 1000);
    const mounts = [{ source: file, target: '/given', readonly: true }];
    expect(await output('cat /given; ls -n /given; echo x > /given', { mounts })).toMatch(
      /^text\n.* 1000 +1000 [\s\S]*read-only/i,
    );
  });

  test('is kept over a new process of control, and half-made ones leave nothing', async () => {
    const spec = host.spec('ls -ln /tmp | tail -1; echo more > /tmp/mine; ls -ln /tmp | tail -1; sleep 1');
    await engine.create(spec);
    await engine.close();
    const halfMade = `/run/wherry-${host.tag}/at/app.half/0`;
    await mkdir(halfMade, { recursive: true });
    engine = host.create();
    await engine.open();
    expect(existsSync(halfMade)).toBe(false);
    await engine.start(spec.id);
    expect(await readFile(join(await processOf(spec.id), 'uid_map'), 'utf8')).toMatch(
      new RegExp(`^\\s*0\\s+${mappedIds.apps.first}\\s+${mappedIds.apps.count}$`, 'm'),
    );
    expect(await engine.wait(spec.id)).toMatchObject({ code: 0 });
    await engine.start(spec.id);
    expect(await engine.wait(spec.id)).toMatchObject({ code: 0 });
    expect((await readFile(spec.logFile, 'utf8')).match(/ 1000 +1000 .* mine/g)).toHaveLength(3);
    await engine.remove(spec.id);
  });
});

describe('the users of a build', () => {
  test('are others than those of apps, and of the host, its root too; files keep plain ids', async () => {
    const at = (name: string) => join(host.root, 'sandbox', name);
    for (const name of ['lower', 'upper', 'work']) await mkdir(at(name), { recursive: true });
    const box = await engine.openSandbox({
      id: 'build-users',
      layers: [busyboxLayer],
      mounts: [{ target: '/work', lower: [at('lower')], upper: at('upper'), work: at('work') }],
      limits: { memory: 64 * mib, pids: 40 },
      network: 'host-uplink',
      hostname: 'build',
    });
    let text = '';
    const step = (script: string, user: 'root' | { uid: number; gid: number }) =>
      box.run({
        argv: ['sh', '-c', script],
        env: { PATH: '/bin' },
        cwd: '/work',
        user,
        timeout: 20_000,
        onOutput: chunk => {
          text += chunk.toString('utf8');
        },
      });
    expect(
      await step(
        'cat /proc/self/uid_map; touch root; mkdir own; chown 1000:1000 own; ls /sys/class/net',
        'root',
      ),
    ).toBe(0);
    expect(await step('echo mine > own/mine; touch /work/root', { uid: 1000, gid: 1000 })).not.toBe(0);
    await box.close();
    const { first, count } = mappedIds.builds;
    expect(text).toMatch(new RegExp(`^\\s*0\\s+${first}\\s+${count}$`, 'm'));
    expect(first).toBeGreaterThanOrEqual(mappedIds.apps.first + mappedIds.apps.count);
    expect(text).toMatch(/^eth0$/m);
    const ids = async (name: string) => {
      const { uid, gid } = await stat(join(at('upper'), name));
      return { uid, gid };
    };
    expect(await ids('root')).toEqual({ uid: 0, gid: 0 });
    expect(await ids('own/mine')).toEqual({ uid: 1000, gid: 1000 });
  });
});

describe('an instance', () => {
  test('is not mapped where that is turned off, or a folder that it sees cannot be', async () => {
    const outside = async (changes: Partial<InstanceSpec>) => {
      const { id } = await start('exec sleep 1000', changes);
      const map = await readFile(join(await processOf(id), 'uid_map'), 'utf8');
      await engine.remove(id);
      return map.trim().split(/\s+/)[1];
    };
    expect(await outside({})).toBe(String(mappedIds.apps.first));
    // The kernel's own file system has no owners that could be mapped.
    expect(await outside({ mounts: [{ source: '/proc/fs', target: '/fs', readonly: true }] })).toBe('0');
    await engine.close();
    engine = host.create({ mapUsers: false });
    await engine.open();
    expect(await outside({})).toBe('0');
  });
});

test('nothing of it is left behind', async () => {
  await engine.purge();
  expect(await tracesOf(host)).toEqual([]);
  engine = host.create();
});
