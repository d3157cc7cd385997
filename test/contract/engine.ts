import { existsSync, lstatSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { DiffId } from '../../src/domain/image.ts';
import type { Engine, EngineEvent, InstanceSpec, SandboxStep } from '../../src/engine/engine.ts';

export const mib = 2 ** 20;
const port = 8080;

/** The programs that the suite runs: real ones under a real driver, recognised by their text under the fake. */
export const programs = {
  exit3: 'exit 3',
  exit0: 'exit 0',
  sleep: 'exec sleep 1000',
  stubborn: 'trap "" TERM; while :; do sleep 0.1; done',
  print: 'echo to stdout; echo to stderr >&2; exit 0',
  listen: `exec nc -ll -p ${port} -e echo hello`,
  hold40: `dd if=/dev/zero of=/dev/shm/held bs=1M count=40 2>/dev/null; exec sleep 1000`,
  eatMemory: 'exec tail /dev/zero',
  echoVariable: 'echo "$GREETING $EXTRA"; exit 4',
  quiet: 'echo first; sleep 20',
  cached: 'dd if=/dev/zero of=/tmp/read bs=1M count=30 conv=fsync 2>/dev/null; echo read; exec sleep 1000',
  mounted: 'cat /run/given/word; echo no 2>/dev/null >/run/given/word || echo refused; exit 0',
} as const;

export type Program = keyof typeof programs;
export const argvOf = (program: Program): readonly string[] => ['sh', '-c', programs[program]];

export type ContractDriver = {
  readonly name: string;
  readonly layers: readonly DiffId[];
  /** A fresh engine whose files are under `root`. */
  create(root: string): Engine;
  /** The engine that a new process would have after this one was killed. */
  again(engine: Engine, root: string): Engine;
};

/** What every engine driver must do; see src/engine/engine.ts. */
export function engineContract(driver: ContractDriver): void {
  describe(`the ${driver.name} engine`, () => {
    let root: string;
    let engine: Engine;
    let events: EngineEvent[];
    let count = 0;

    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'wherry-contract-'));
      engine = driver.create(join(root, 'engine'));
      await engine.open();
    });
    afterEach(async () => {
      for (const instance of await engine.list()) await engine.remove(instance.id);
      await engine.removeGroup('blog');
    });
    afterAll(async () => {
      await engine.purge();
      await rm(root, { recursive: true, force: true });
    });

    const specOf = (program: Program, changes: Partial<InstanceSpec> = {}): InstanceSpec => {
      count += 1;
      return {
        id: `blog.web.1.v1-${count}`,
        group: 'blog',
        labels: { type: 'web', index: '1' },
        hostname: 'web-1',
        layers: driver.layers,
        argv: argvOf(program),
        env: { PORT: String(port), GREETING: 'ahoy' },
        workingDir: '/',
        user: { uid: 1000, gid: 1000 },
        limits: { memory: 64 * mib, pids: 40 },
        logFile: join(root, 'logs', `${count}.log`),
        ...changes,
      };
    };
    const started = async (program: Program, changes: Partial<InstanceSpec> = {}) => {
      const spec = specOf(program, changes);
      const instance = await engine.create(spec);
      await engine.start(spec.id);
      return { ...spec, address: instance.address };
    };
    const statusOf = async (id: string) =>
      (await engine.list()).find(instance => instance.id === id)?.status.kind;
    const listen = () => {
      events = [];
      return engine.subscribe(event => events.push(event));
    };

    describe('life', () => {
      test('a created instance has an address and waits for its start', async () => {
        const spec = specOf('sleep');
        const instance = await engine.create(spec);
        expect(instance.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
        expect(await engine.list()).toEqual([
          {
            id: spec.id,
            group: 'blog',
            labels: spec.labels,
            address: instance.address,
            limits: spec.limits,
            logFile: spec.logFile,
            status: { kind: 'created' },
          },
        ]);
      });

      test('a started instance runs until it exits, and its exit status is kept', async () => {
        const { id } = await started('exit3');
        expect(await engine.wait(id)).toMatchObject({ code: 3 });
        expect(await engine.wait(id)).not.toHaveProperty('oom');
        expect(await statusOf(id)).toBe('exited');
      });

      test('what an ended instance wrote is in a folder, until it is removed', async () => {
        const { id } = await started('exit3');
        await engine.wait(id);
        const folder = await engine.written(id);
        expect(lstatSync(folder).isDirectory()).toBe(true);
        await engine.remove(id);
        expect(existsSync(folder)).toBe(false);
        await expect(engine.written(id)).rejects.toMatchObject({ code: 'not-found' });
      });

      test('a running instance shows its process', async () => {
        const { id } = await started('sleep');
        const [instance] = await engine.list();
        expect(instance).toMatchObject({ id, status: { kind: 'running', pid: expect.any(Number) } });
      });

      test('starting one that runs changes nothing', async () => {
        const { id } = await started('sleep');
        const before = await engine.list();
        await engine.start(id);
        expect(await engine.list()).toEqual(before);
      });

      test('an exited instance starts again at the same address', async () => {
        const { id, address } = await started('exit3');
        await engine.wait(id);
        await engine.start(id);
        expect(await engine.wait(id)).toMatchObject({ code: 3 });
        expect((await engine.list())[0]?.address).toBe(address);
      });

      test('SIGTERM ends it with 143', async () => {
        const { id } = await started('sleep');
        await engine.signal(id, 'SIGTERM');
        expect(await engine.wait(id)).toMatchObject({ code: 143 });
      });

      test('SIGKILL ends one that ignores SIGTERM', async () => {
        const { id } = await started('stubborn');
        await engine.signal(id, 'SIGTERM');
        await new Promise(resolve => setTimeout(resolve, 100));
        expect(await statusOf(id)).toBe('running');
        await engine.signal(id, 'SIGKILL');
        expect(await engine.wait(id)).toMatchObject({ code: 137 });
      });

      test('a signal to one that has exited is no error', async () => {
        const { id } = await started('exit0');
        await engine.wait(id);
        await engine.signal(id, 'SIGTERM');
      });

      test('removing a running one ends its wait and forgets it; doing so again is no error', async () => {
        const { id } = await started('stubborn');
        const ended = engine.wait(id);
        await engine.remove(id);
        expect(await ended).toMatchObject({ code: 137 });
        expect(await statusOf(id)).toBeUndefined();
        await engine.remove(id);
      });

      test('a wait for one that was never started ends with its removal', async () => {
        const { id } = await engine.create(specOf('sleep'));
        const ended = engine.wait(id);
        await engine.remove(id);
        expect(await ended).toMatchObject({ code: 137 });
      });

      test('a frozen instance is shown so, and removing it works', async () => {
        const { id } = await started('sleep');
        await engine.freeze(id);
        expect(await statusOf(id)).toBe('frozen');
        await engine.thaw(id);
        expect(await statusOf(id)).toBe('running');
        await engine.freeze(id);
        await engine.remove(id);
        expect(await statusOf(id)).toBeUndefined();
      });

      test('a wait ends when its signal is aborted', async () => {
        const { id } = await started('sleep');
        const controller = new AbortController();
        const waiting = engine.wait(id, controller.signal);
        controller.abort(new Error('enough'));
        await expect(waiting).rejects.toThrow('enough');
      });

      test('it is reachable on its port', async () => {
        const { address } = await started('listen');
        await expect.poll(() => connects(address), { timeout: 5000 }).toBe(true);
      });
    });

    describe('what it refuses', () => {
      test('the same id twice', async () => {
        const { id } = await engine.create(specOf('sleep'));
        await expect(engine.create(specOf('sleep', { id }))).rejects.toMatchObject({ code: 'conflict' });
      });

      test.each(['', '..', 'a/b', 'A', 'a..b', '-a', 'a b', 'x'.repeat(101), 'ä'])('the id %j', async id => {
        await expect(engine.create(specOf('sleep', { id }))).rejects.toMatchObject({ code: 'invalid' });
        expect(await engine.list()).toEqual([]);
      });

      test('root', async () => {
        const spec = specOf('sleep', { user: { uid: 0, gid: 0 } });
        await expect(engine.create(spec)).rejects.toMatchObject({ code: 'invalid' });
      });

      test.each([
        ['nowhere on the host', { source: '/nonexistent', target: '/run/given' }],
        ['by a relative path', { source: 'tmp', target: '/run/given' }],
        ['over everything', { source: '/tmp', target: '/' }],
        ['by a way out', { source: '/tmp', target: '/run/../proc' }],
        ["over the kernel's files", { source: '/tmp', target: '/proc/sys' }],
        ["over the platform's files", { source: '/tmp', target: '/.wherry/init' }],
      ])('a mount %s', async (_, mount) => {
        const spec = specOf('sleep', { mounts: [{ ...mount, readonly: true }] });
        await expect(engine.create(spec)).rejects.toMatchObject({ code: 'invalid' });
        expect(await engine.list()).toEqual([]);
      });

      test('two mounts at one place', async () => {
        const mount = { source: '/tmp', target: '/run/given', readonly: true };
        const spec = specOf('sleep', { mounts: [mount, mount] });
        await expect(engine.create(spec)).rejects.toMatchObject({ code: 'invalid' });
      });

      test('an instance that does not exist', async () => {
        await expect(engine.start('blog.none')).rejects.toMatchObject({ code: 'not-found' });
        await expect(engine.stats('blog.none')).rejects.toMatchObject({ code: 'not-found' });
      });

      test('to forget a group that has instances', async () => {
        await engine.create(specOf('sleep'));
        await expect(engine.removeGroup('blog')).rejects.toMatchObject({ code: 'conflict' });
      });
    });

    describe('output', () => {
      test('goes to the log with time and stream, and outlives the instance', async () => {
        const { id, logFile } = await started('print');
        await engine.wait(id);
        await engine.remove(id);
        const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
        expect(lines.map(line => line.replace(/^\d{4}-\d\d-\d\dT\S+ /, '')).sort()).toEqual([
          'stderr F to stderr',
          'stdout F to stdout',
        ]);
      });

      test("a command inside gets the instance's environment and gives its exit status", async () => {
        const { id } = await started('sleep');
        let text = '';
        const code = await engine.exec(id, {
          argv: argvOf('echoVariable'),
          env: { EXTRA: 'sailor' },
          onOutput: chunk => {
            text += chunk.toString('utf8');
          },
        });
        expect({ code, text }).toEqual({ code: 4, text: 'ahoy sailor\n' });
      });
    });

    describe('a folder of the host', () => {
      test('is seen inside, and stays as it is when it is mounted to be read', async () => {
        const source = join(root, 'given');
        await mkdir(source);
        await writeFile(join(source, 'word'), 'ahoy\n', { mode: 0o666 });
        const mounts = [{ source, target: '/run/given', readonly: true }];
        const { id, logFile } = await started('mounted', { mounts });
        await engine.wait(id);
        const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
        expect(lines.map(line => line.replace(/^\S+ stdout F /, ''))).toEqual(['ahoy', 'refused']);
        await engine.remove(id);
        expect(await readFile(join(source, 'word'), 'utf8')).toBe('ahoy\n');
      });
    });

    describe('memory', () => {
      test('above its limit it is killed, and the exit and an event say why', async () => {
        const stop = listen();
        const { id } = await started('eatMemory');
        const exit = await engine.wait(id);
        stop();
        expect(exit).toMatchObject({ code: 137, oom: { scope: 'instance', limit: 64 * mib } });
        expect(exit.oom?.peak).toBeGreaterThan(60 * mib);
        expect(events.map(event => event.kind)).toEqual(['oom', 'exited']);
      });

      test("above the group's quota one is killed, and the exit says that it was the quota", async () => {
        await engine.setQuota('blog', { memory: 32 * mib, pids: null });
        const { id } = await started('eatMemory');
        expect(await engine.wait(id)).toMatchObject({
          code: 137,
          oom: { scope: 'group', limit: 32 * mib },
        });
      });

      test('its use and limits are told', async () => {
        const { id } = await started('hold40');
        await expect
          .poll(async () => (await engine.stats(id)).memory, { timeout: 5000 })
          .toBeGreaterThan(39 * mib);
        expect(await engine.stats(id)).toMatchObject({
          memoryLimit: 64 * mib,
          pidsLimit: 40,
          oomKills: 0,
        });
        expect((await engine.groupStats('blog')).memory).toBeGreaterThan(39 * mib);
      });

      test('of a frozen one, what it does not need to go on is given back, once', async () => {
        const { id, logFile } = await started('cached');
        await expect
          .poll(async () => (await readFile(logFile, 'utf8')).includes('read'), { timeout: 10_000 })
          .toBe(true);
        await expect(engine.reclaim(id)).rejects.toMatchObject({ code: 'conflict' });
        await engine.freeze(id);
        const { memory } = await engine.stats(id);
        expect(await engine.reclaim(id)).toBeGreaterThan(25 * mib);
        expect(await engine.reclaim(id)).toBeLessThan(5 * mib);
        expect(await statusOf(id)).toBe('frozen');
        // What counts as use was none of that.
        expect(Math.abs((await engine.stats(id)).memory - memory)).toBeLessThan(2 * mib);
        expect(await engine.stats(id)).toMatchObject({ memoryLimit: 64 * mib, oomKills: 0 });
        await engine.thaw(id);
        expect(await statusOf(id)).toBe('running');
      });

      test('a thaw or a removal while it is given back waits for nothing but a moment', async () => {
        const { id, logFile } = await started('cached');
        await expect
          .poll(async () => (await readFile(logFile, 'utf8')).includes('read'), { timeout: 10_000 })
          .toBe(true);
        for (const end of [() => engine.thaw(id), () => engine.remove(id)]) {
          await engine.freeze(id);
          const freed = engine.reclaim(id);
          await end();
          expect(await freed).toBeGreaterThanOrEqual(0);
        }
        expect(await statusOf(id)).toBeUndefined();
        await expect(engine.reclaim(id)).rejects.toMatchObject({ code: 'not-found' });
      });

      test('a limit is changed while it runs', async () => {
        const { id } = await started('sleep');
        await engine.updateLimits(id, { memory: 128 * mib, pids: 60 });
        expect(await engine.stats(id)).toMatchObject({ memoryLimit: 128 * mib, pidsLimit: 60 });
        await engine.updateLimits(id, { memory: 32 * mib, pids: 10, cpus: 0.5 });
        expect(await engine.stats(id)).toMatchObject({ memoryLimit: 32 * mib, pidsLimit: 10 });
        expect((await engine.list())[0]?.limits).toEqual({ memory: 32 * mib, pids: 10, cpus: 0.5 });
      });

      test('a limit below what is in use is refused, and nothing changes', async () => {
        const { id } = await started('hold40');
        await expect
          .poll(async () => (await engine.stats(id)).memory, { timeout: 5000 })
          .toBeGreaterThanOrEqual(40 * mib);
        await expect(engine.updateLimits(id, { memory: 16 * mib, pids: 10 })).rejects.toMatchObject({
          code: 'invalid',
          message: expect.stringMatching(/^Memory limit 16m of .* is below the 4\d(\.\d)?m in use\./),
        });
        expect(await engine.stats(id)).toMatchObject({ memoryLimit: 64 * mib, pidsLimit: 40 });
        expect(await statusOf(id)).toBe('running');
      });

      test('a quota below what is in use is refused, and nothing changes', async () => {
        await engine.setQuota('blog', { memory: 128 * mib, pids: 100 });
        const { id } = await started('hold40');
        await expect
          .poll(async () => (await engine.stats(id)).memory, { timeout: 5000 })
          .toBeGreaterThan(39 * mib);
        await expect(engine.setQuota('blog', { memory: 16 * mib, pids: 10 })).rejects.toMatchObject({
          code: 'invalid',
        });
        expect(await engine.groupStats('blog')).toMatchObject({
          memoryLimit: 128 * mib,
          pidsLimit: 100,
        });
      });

      test('a quota is taken away again', async () => {
        await engine.setQuota('blog', { memory: 128 * mib, pids: 100 });
        await engine.setQuota('blog', { memory: null, pids: null });
        expect(await engine.groupStats('blog')).toMatchObject({ memoryLimit: null, pidsLimit: null });
      });
    });

    describe('events', () => {
      test('each exit is told once, and not to those who left', async () => {
        const stop = listen();
        const { id } = await started('exit3');
        await engine.wait(id);
        await new Promise(resolve => setTimeout(resolve, 50));
        expect(events).toEqual([{ kind: 'exited', id, exit: await engine.wait(id) }]);
        stop();
        await engine.start(id);
        await engine.wait(id);
        expect(events).toHaveLength(1);
      });
    });

    describe('a new process after this one was killed', () => {
      test('finds what runs, what exited meanwhile and what waits', async () => {
        const running = await started('sleep');
        const ending = await started('sleep');
        const waiting = await engine.create(specOf('sleep'));
        const before = (await engine.list()).find(instance => instance.id === running.id);
        await engine.close();
        if (before?.status.kind !== 'running') throw new Error('it does not run');
        engine = driver.again(engine, join(root, 'engine'));
        await engine.open();
        await engine.signal(ending.id, 'SIGKILL');
        expect(await engine.wait(ending.id)).toMatchObject({ code: 137 });
        const after = new Map((await engine.list()).map(instance => [instance.id, instance]));
        expect(after.get(running.id)).toMatchObject({
          address: running.address,
          labels: running.labels,
          status: { kind: 'running', pid: before.status.pid },
        });
        expect(after.get(waiting.id)?.status.kind).toBe('created');
        await engine.start(waiting.id);
        expect(await statusOf(waiting.id)).toBe('running');
      });
    });

    describe('a sandbox', () => {
      const stepOf = (program: Program, changes: Partial<SandboxStep> = {}): SandboxStep => ({
        argv: ['/bin/sh', '-c', programs[program]],
        env: { PATH: '/bin', GREETING: 'ahoy', EXTRA: 'builder' },
        cwd: '/',
        user: { uid: 1000, gid: 1000 },
        onOutput: () => {},
        timeout: 20_000,
        ...changes,
      });
      const sandbox = () => {
        count += 1;
        return engine.openSandbox({
          id: `build-${count}`,
          layers: driver.layers,
          mounts: [],
          limits: { memory: 64 * mib, pids: 40 },
          network: 'none',
          hostname: 'build',
        });
      };

      test('runs steps one after the other and gives exit status and output', async () => {
        const box = await sandbox();
        let text = '';
        const onOutput = (chunk: Buffer) => {
          text += chunk.toString('utf8');
        };
        expect(await box.run(stepOf('echoVariable', { onOutput }))).toBe(4);
        expect(await box.run(stepOf('exit0'))).toBe(0);
        expect(text).toBe('ahoy builder\n');
        await box.close();
        await box.close();
      });

      test('stops a step at its time limit, at silence and on cancellation, naming the reason', async () => {
        const box = await sandbox();
        await expect(box.run(stepOf('sleep', { timeout: 300 }))).rejects.toMatchObject({
          code: 'build-failed',
          message: expect.stringContaining('time limit'),
        });
        await expect(box.run(stepOf('quiet', { silence: 300 }))).rejects.toMatchObject({
          code: 'build-failed',
          message: expect.stringContaining('printed nothing'),
        });
        const signal = AbortSignal.timeout(300);
        await expect(box.run(stepOf('sleep', { signal }))).rejects.toMatchObject({ code: 'interrupted' });
        expect(await box.run(stepOf('exit0'))).toBe(0);
        await box.close();
      });
    });
  });
}

function connects(host: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout: 1000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}
