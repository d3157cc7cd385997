import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { exec, spawn } from '../../../src/system/exec.ts';
import { unmountBelow } from '../../../src/system/mounts.ts';
import { createEngineHost, type EngineHost, mib, tracesOf } from './host.ts';

let host: EngineHost;
let engine: Engine;

beforeAll(async () => {
  host = await createEngineHost('crash');
  engine = host.create();
  await engine.open();
});
afterEach(async () => {
  for (const { id } of await engine.list()) await engine.remove(id);
});
afterAll(async () => {
  await engine.purge();
  await host.cleanUp();
});

const statusOf = async (id: string) => (await engine.list()).find(instance => instance.id === id)?.status;
const pidFrom = async (id: string, file: string) =>
  Number(await readFile(join(host.engineRoot, 'instances', id, file), 'utf8'));

/** Lets another process do something with this engine's folder, and kills it the hard way once it says `now`. */
async function killedProcess(body: string): Promise<void> {
  const source = `
    import { createEngine } from '${new URL('../../../src/engine/index.ts', import.meta.url).href}';
    import { silentLog } from '${new URL('../../../src/system/log.ts', import.meta.url).href}';
    const engine = createEngine('runc', { root: ${JSON.stringify(host.engineRoot)}, tag: '${host.tag}', log: silentLog,
      layerPath: () => ${JSON.stringify(join(host.root, 'layers', 'b0'))},
      layerRoots: [${JSON.stringify(join(host.root, 'layers'))}] });
    await engine.open();
    ${body}
    console.log('now');
    setInterval(() => {}, 1000);`;
  const file = join(host.root, 'other.mts');
  await writeFile(file, source);
  const tsx = new URL('../../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', tsx, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise(resolve => child.once('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => chunk.includes('now') && resolve());
    child.once('exit', code => reject(new Error(`it ended with ${code}`)));
  });
  child.kill('SIGKILL');
  await ended;
}

describe('after kill -9 of the process that drove it', () => {
  test('instances run on; their logs, exits and memory kills are found', async () => {
    const living = host.spec('while :; do echo tick; sleep 0.1; done');
    const dying = host.spec('sleep 0.5; exit 9');
    const hungry = host.spec('sleep 0.5; exec tail /dev/zero');
    await engine.close();
    const all = JSON.stringify([living, dying, hungry]);
    await killedProcess(
      `for (const spec of ${all}) { await engine.create(spec); await engine.start(spec.id); }`,
    );
    await new Promise(resolve => setTimeout(resolve, 1500));
    engine = host.create();
    await engine.open();
    expect(await statusOf(living.id)).toMatchObject({ kind: 'running' });
    expect(await statusOf(dying.id)).toMatchObject({ kind: 'exited', exit: { code: 9 } });
    expect(await statusOf(hungry.id)).toMatchObject({
      kind: 'exited',
      exit: { code: 137, oom: { scope: 'instance', limit: 64 * mib } },
    });
    const before = (await readFile(living.logFile, 'utf8')).length;
    await expect.poll(async () => (await readFile(living.logFile, 'utf8')).length).toBeGreaterThan(before);
  });

  test('a half-made instance, a sandbox and namespaces made ahead are cleaned away', async () => {
    await engine.close();
    await killedProcess(`
      await engine.openSandbox({ id: 'build-x', layers: ['sha256:b0'], mounts: [], network: 'host-uplink', hostname: 'b',
        limits: { memory: ${64 * mib}, pids: 20 } });`);
    await mkdir(join(host.engineRoot, 'instances', 'app.half', 'upper'), { recursive: true });
    expect((await tracesOf(host)).join('\n')).toContain('at/build-x/rootfs');
    engine = host.create();
    await engine.open();
    expect(await engine.list()).toEqual([]);
    await engine.close();
    const traces = await tracesOf(host);
    expect(
      traces.filter(trace => /build-x|app\.half|-\d+$/.test(trace) && !trace.includes('cgroup')),
    ).toEqual([]);
    engine = host.create();
    await engine.open();
  });
});

describe('an instance', () => {
  test('whose supervisor was killed runs on, and its end is still noticed', async () => {
    const spec = host.spec('exec sleep 1000');
    await engine.create(spec);
    await engine.start(spec.id);
    const exits: string[] = [];
    engine.subscribe(event => event.kind === 'exited' && exits.push(event.id));
    process.kill(await pidFrom(spec.id, 'conmon.pid'), 'SIGKILL');
    await new Promise(resolve => setTimeout(resolve, 1500));
    expect(await statusOf(spec.id)).toMatchObject({ kind: 'running' });
    process.kill(await pidFrom(spec.id, 'pid'), 'SIGKILL');
    await expect.poll(() => exits, { timeout: 15_000 }).toEqual([spec.id]);
    expect(await engine.wait(spec.id)).toMatchObject({ code: 137 });
  });

  test('starts again after a reboot took its mount, namespace and control group', async () => {
    const spec = host.spec('echo back; exit 0');
    const before = await engine.create(spec);
    await engine.setQuota('app', { memory: 256 * mib, pids: 100 });
    await engine.close();
    const network = JSON.parse(
      await readFile(join(host.engineRoot, 'instances', spec.id, 'spec.json'), 'utf8'),
    ) as { network: { name: string } };
    await unmountBelow(`/run/wherry-${host.tag}`);
    await rm(`/run/wherry-${host.tag}`, { recursive: true });
    await exec('ip', ['netns', 'delete', network.network.name]);
    await exec('ip', ['link', 'delete', `wherry${host.tag}`]);
    await exec('nft', ['delete', 'table', 'inet', `wherry_${host.tag}`]);
    for (const path of (await tracesOf(host)).filter(trace => trace.startsWith('/sys/fs/cgroup'))) {
      await exec('find', [path, '-depth', '-type', 'd', '-delete']);
    }
    engine = host.create();
    await engine.open();
    expect(await engine.list()).toEqual([before]);
    await engine.start(spec.id);
    expect(await engine.wait(spec.id)).toMatchObject({ code: 0 });
    expect(await readFile(spec.logFile, 'utf8')).toContain('back');
    expect(await engine.groupStats('app')).toMatchObject({ memoryLimit: 256 * mib, pidsLimit: 100 });
  });

  test('keeps no more output than its bound', async () => {
    const spec = host.spec(
      'i=0; while [ $i -lt 300 ]; do dd if=/dev/zero bs=100k count=1 2>/dev/null; echo; i=$((i+1)); done',
    );
    await engine.create(spec);
    await engine.start(spec.id);
    expect(await engine.wait(spec.id)).toMatchObject({ code: 0 });
    expect((await readFile(spec.logFile)).length).toBeLessThan(11 * mib);
  });

  test('that cannot start says why and can be removed', async () => {
    const spec = host.spec('true', { workingDir: '/bin/busybox/none' });
    await engine.create(spec);
    await expect(engine.start(spec.id)).rejects.toMatchObject({ code: 'failed' });
    expect(await statusOf(spec.id)).toEqual({ kind: 'created' });
  });

  test('with the longest id and thirty layers works', async () => {
    const spec = host.spec('echo long; exit 0', {
      id: `a${'b'.repeat(99)}`,
      layers: [...Array.from({ length: 29 }, (_, place) => `sha256:e${place}` as const), 'sha256:b0'],
    });
    for (let place = 0; place < 29; place += 1) await mkdir(join(host.root, 'layers', `e${place}`));
    await engine.create(spec);
    await engine.start(spec.id);
    expect(await engine.wait(spec.id)).toMatchObject({ code: 0 });
    expect(await readFile(spec.logFile, 'utf8')).toContain('long');
  });

  test('whose child was killed for memory lives on, and the kill is told', async () => {
    const told = new Promise(resolve =>
      engine.subscribe(event => event.kind === 'oom' && resolve(event.oom)),
    );
    await engine.setQuota('app', { memory: 256 * mib, pids: null });
    const spec = host.spec('sh -c "exec tail /dev/zero"; exec sleep 1000');
    await engine.create(spec);
    await engine.start(spec.id);
    expect(await told).toMatchObject({ scope: 'instance', limit: 64 * mib });
    expect(await statusOf(spec.id)).toMatchObject({ kind: 'running' });
    expect(await engine.stats(spec.id)).toMatchObject({ oomKills: 1 });
    expect(existsSync('oom')).toBe(false);
  });
});

describe('purge', () => {
  test('leaves nothing on the host, whatever state things are in', async () => {
    for (const script of ['exec sleep 1000', 'exit 1', 'trap "" TERM; while :; do sleep 1; done']) {
      const spec = host.spec(script);
      await engine.create(spec);
      await engine.start(spec.id);
    }
    const frozen = host.spec('exec sleep 1000');
    await engine.create(frozen);
    await engine.start(frozen.id);
    await engine.freeze(frozen.id);
    await engine.create(host.spec('exec sleep 1000'));
    await engine.openSandbox({
      id: 'build-y',
      layers: ['sha256:b0'],
      mounts: [],
      network: 'host-uplink',
      hostname: 'b',
      limits: { memory: 64 * mib, pids: 20 },
    });
    expect((await tracesOf(host)).length).toBeGreaterThan(10);
    await engine.purge();
    expect(await tracesOf(host)).toEqual([]);
    engine = host.create();
    await engine.open();
  });
});
