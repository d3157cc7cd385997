import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { App } from '../../src/domain/app.ts';
import { WherryError } from '../../src/domain/errors.ts';
import { type AppName, type ProcessType, parseAppName } from '../../src/domain/names.ts';
import { unlimited } from '../../src/domain/parallel.ts';
import type { Progress } from '../../src/domain/push.ts';
import { defaultLimits } from '../../src/domain/quota.ts';
import type { Target } from '../../src/domain/route.ts';
import type { SleepDepth } from '../../src/domain/scaling.ts';
import { parseRestartPolicy } from '../../src/domain/upkeep.ts';
import type { InstanceSpec } from '../../src/engine/engine.ts';
import type { Behaviour } from '../../src/engine/fake/behaviour.ts';
import { FakeEngine } from '../../src/engine/fake/fake-engine.ts';
import { createRuntime } from '../../src/runtime/create.ts';
import type { AppState, Desired, Runtime } from '../../src/runtime/runtime.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLog as log } from '../../src/system/log.ts';

const mib = 2 ** 20;
const web = 'web' as ProcessType;
const worker = 'worker' as ProcessType;
const app: App = {
  id: 1,
  name: parseAppName('blog'),
  createdAt: new Date(),
  deployBranch: 'main',
  stopped: false,
};
// Waits are cut short where nothing is measured by them.
const clock = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 30), signal),
};

let dir: string;
let engine: FakeEngine;
let runtime: Runtime;
let behave: (spec: InstanceSpec, starts: number) => Behaviour;
let routed: { state: AppState; targets: readonly Target[] }[];
let drained: string[];
/** Whether the edge says that no request is in flight. */
let quiet: boolean;
/** Bytes that were asked for, and given back. */
let admitted: number[];
let full: boolean;
let noted: (SleepDepth | undefined)[];
let events: string[];
let said: string[];
let progress: Progress;

const start = (stopTimeout = 50, readyTimeout = 10_000) =>
  createRuntime({
    engine,
    clock,
    log,
    logsDir: dir,
    networks: () => ({ early: ['backend'], all: ['backend', 'cache'] }),
    mounts: async (_, type) => [{ source: dir, target: `/run/${type}`, readonly: true }],
    sink: {
      set: async (_: AppName, state, targets) => void routed.push({ state, targets }),
      async drained(targets) {
        drained.push(...targets);
        await new Promise(setImmediate);
      },
      quiet: () => quiet,
    },
    async admit(need) {
      admitted.push(need.bytes);
      if (full) throw new WherryError('unavailable', 'The host is short of memory.');
      return () => void admitted.push(-need.bytes);
    },
    noteSleep: (_, depth) => void noted.push(depth),
    event: (_, kind, message) => events.push(`${kind}: ${message}`),
    random: () => 0.5,
    readyTimeout,
    stopTimeout,
  });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-runtime-'));
  behave = spec => (spec.labels['type'] === 'web' ? { listen: {} } : {});
  engine = new FakeEngine({ behave: (spec, starts) => behave(spec, starts) });
  routed = [];
  drained = [];
  quiet = true;
  noted = [];
  admitted = [];
  full = false;
  events = [];
  said = [];
  const say = (text: string) => void said.push(text);
  progress = { header: say, step: say, detail: say, warn: say, raw: say };
  runtime = start();
});
afterEach(async () => {
  await runtime.close();
  await engine.purge();
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
});

/** As long as a busy machine may take. */
const waitFor = <Value>(check: () => Value | Promise<Value>) => vi.waitFor(check, { timeout: 10_000 });
const desired = (
  version: number,
  counts: Record<string, number> = { web: 1 },
  more: Partial<Desired> = {},
): Desired => ({
  app,
  version,
  image: {
    id: 'sha256:1',
    layers: [],
    env: { FROM_IMAGE: 'yes' },
    workingDir: '/workspace',
    user: { uid: 1000, gid: 1000 },
    entrypoint: ['/launcher'],
    processes: [web, worker].map(type => ({ type, command: [type], workingDir: '/workspace' })),
    labels: {},
  },
  config: { GREETING: 'hello' },
  counts: new Map(Object.entries(counts)) as Map<ProcessType, number>,
  limits: () => defaultLimits,
  quota: { memory: null, pids: null },
  ...more,
});
const running = async () => (await engine.list()).filter(instance => instance.status.kind === 'running');
const versions = async () => (await running()).map(instance => instance.labels['version']).sort();
const serving = () => routed.at(-1)?.targets.length;

const namesOn = async (version: string) =>
  (await engine.list())
    .filter(({ labels }) => labels['version'] === version)
    .map(({ id }) => engine.networksOf(id));

describe('what is reserved', () => {
  const reserving = (version: number, bytes: number) =>
    desired(version, { web: 2 }, { promised: () => bytes });

  it('is asked of the host in place of the limit, and counts while it runs, also after a restart of control', async () => {
    await runtime.deploy(reserving(1, 100 * mib), { progress });
    expect(admitted).toEqual([200 * mib, -200 * mib]);
    expect(runtime.reserved()).toBe(200 * mib);
    await runtime.close();
    runtime = start();
    await runtime.recover([reserving(1, 100 * mib)]);
    expect(runtime.reserved()).toBe(200 * mib);
  });

  it('is changed live: more is asked for, and stays as it was when the host has not so much', async () => {
    await runtime.deploy(reserving(1, 100 * mib), { progress });
    await runtime.applyLimits(reserving(1, 150 * mib));
    expect(admitted.slice(2)).toEqual([100 * mib, -100 * mib]);
    expect(runtime.reserved()).toBe(300 * mib);
    full = true;
    await expect(runtime.applyLimits(reserving(1, 200 * mib))).rejects.toThrow('short of memory');
    expect(runtime.reserved()).toBe(300 * mib);
    expect(runtime.instances(app)[0]).toMatchObject({ memoryLimit: 512 * mib, promised: 150 * mib });
  });
});

describe('networks', () => {
  const named = [
    { network: 'backend', names: ['blog.web', 'blog.web.1', 'blog'] },
    { network: 'cache', names: ['blog.web', 'blog.web.1', 'blog'] },
  ];
  const nameless = [{ network: 'backend', names: [] }];

  it('are reached before the start; names come with the switch and leave those that go', async () => {
    const before: unknown[] = [];
    behave = spec => {
      before.push(spec.networks);
      return { listen: {}, stubborn: true };
    };
    await runtime.deploy(desired(1), { progress });
    expect(before).toEqual([nameless]);
    expect(await namesOn('1')).toEqual([named]);
    await runtime.deploy(desired(2), { progress });
    expect(await namesOn('2')).toEqual([named]);
    for (const networks of await namesOn('1')) expect(networks).toEqual(nameless);
  });

  it('name nobody of a deploy that failed, and follow the name of the app', async () => {
    await runtime.deploy(desired(1), { progress });
    behave = () => ({ exit: { code: 1, after: 0 } });
    await expect(runtime.deploy(desired(2), { progress })).rejects.toThrow();
    expect(await namesOn('1')).toEqual([named]);
    expect(await namesOn('2')).toEqual([]);
    await runtime.rename({ ...app, name: 'shop' as AppName });
    expect((await namesOn('1'))[0]?.[0]?.names).toEqual(['shop.web', 'shop.web.1', 'shop']);
  });
});

describe('deploy', () => {
  it('H13 routes to an instance once it is ready, with PORT, DYNO, its memory and the config in its environment', async () => {
    let seen: InstanceSpec | undefined;
    behave = spec => {
      seen = spec;
      return { listen: {} };
    };
    await runtime.deploy(desired(1), { progress });
    expect(seen?.env).toMatchObject({ PORT: '5000', DYNO: 'web.1', GREETING: 'hello', FROM_IMAGE: 'yes' });
    expect(seen?.env['MEMORY_AVAILABLE']).toBe(String(Math.floor(defaultLimits.memory / 2 ** 20)));
    expect(seen?.argv).toEqual(['/launcher', 'web']);
    expect(seen?.mounts).toEqual([{ source: dir, target: '/run/web', readonly: true }]);
    expect(routed.at(-1)).toMatchObject({ state: { kind: 'serving' }, targets: [{ port: 5000 }] });
  });

  it('asks at the port that an image names, tells the app of it and routes there, also after a restart', async () => {
    const other = desired(2);
    const exposed = { ...other, image: { ...other.image, port: 8123 } };
    let seen: InstanceSpec | undefined;
    behave = spec => {
      seen = spec;
      return { listen: { port: 8123 } };
    };
    await runtime.deploy(exposed, { progress });
    expect(seen?.env['PORT']).toBe('8123');
    expect(routed.at(-1)?.targets).toMatchObject([{ port: 8123 }]);
    await runtime.close();
    runtime = start();
    await runtime.recover([exposed]);
    expect(routed.at(-1)?.targets).toMatchObject([{ port: 8123 }]);
  });

  it('runs the program of a HEALTHCHECK inside, until it says that the app is ready', async () => {
    const other = desired(2);
    const check = { command: ['check', 'it'], interval: 10, timeout: 1000, retries: 1, startPeriod: 60_000 };
    const checked = { ...other, image: { ...other.image, healthcheck: check } };
    const asked: (readonly string[])[] = [];
    await engine.purge();
    engine = new FakeEngine({
      behave: () => ({ listen: {} }),
      exec: async (_, { argv }) => (asked.push(argv) < 3 ? 1 : 0),
    });
    runtime = start();
    await runtime.deploy(checked, { progress });
    expect(asked).toEqual([check.command, check.command, check.command]);
    expect(serving()).toBe(1);
  });

  it('shows what a HEALTHCHECK said last when it never passes, and leaves the old alone', async () => {
    await engine.purge();
    engine = new FakeEngine({
      behave: () => ({ listen: {} }),
      exec: async (_, { onOutput }) => {
        onOutput(Buffer.from('asking\nno database\n'), 'stderr');
        return 7;
      },
    });
    runtime = start();
    await runtime.deploy(desired(1), { progress });
    const other = desired(2);
    const check = { command: ['check'], interval: 20, timeout: 1000, retries: 2, startPeriod: 0 };
    const deploying = runtime.deploy(
      { ...other, image: { ...other.image, healthcheck: check } },
      { progress },
    );
    await expect(deploying).rejects.toThrow('its HEALTHCHECK ends with status 7: "no database"');
    expect(await versions()).toEqual(['1']);
  });

  it('switches from the old to the new in one step, then drains and ends the old', async () => {
    await runtime.deploy(desired(1), { progress });
    const [old] = await running();
    const before = routed.length;
    await runtime.deploy(desired(2), { progress });
    const steps = routed
      .slice(before)
      .map(({ targets }) => targets.map(target => /v(\d)/.exec(target.id)?.[1]).join());
    expect(steps).toEqual(['2']);
    await waitFor(async () => expect(await versions()).toEqual(['2']));
    expect(drained).toEqual([old?.id]);
  });

  it('commits after everything is ready and before the switch; a commit that throws undoes it', async () => {
    await runtime.deploy(desired(1), { progress });
    const before = routed.length;
    const commit = () => {
      throw new Error('disk full');
    };
    await expect(runtime.deploy(desired(2), { progress, commit })).rejects.toThrow('disk full');
    expect(routed.length).toBe(before);
    expect(await versions()).toEqual(['1']);
  });

  it('leaves the old alone and shows the last words when the new exits', async () => {
    await runtime.deploy(desired(1), { progress });
    behave = () => ({ exit: { code: 3 }, output: [{ stream: 'stderr', text: 'no database' }] });
    await expect(runtime.deploy(desired(2), { progress })).rejects.toThrow(
      'Release v2 does not start: web.1 exited with status 3 before it was ready.',
    );
    expect(said).toContain('no database');
    expect(await versions()).toEqual(['1']);
    expect(serving()).toBe(1);
  });

  it('says so when nothing listens in time', async () => {
    runtime = start(50, 300);
    behave = () => ({});
    await expect(runtime.deploy(desired(1), { progress })).rejects.toThrow(/not ready within 0 s/);
    expect(await engine.list()).toEqual([]);
  });

  it('tells a memory kill at boot with limit and remedy', async () => {
    behave = () => ({ exit: { code: 137, oom: 'instance' } });
    const tight = desired(1, { web: 1 }, { limits: () => ({ memory: 64 * mib, pids: 10 }) });
    await expect(runtime.deploy(tight, { progress })).rejects.toThrow(
      /killed by the kernel at its memory limit of 64m .*resource:limit --memory 128m --process-type web blog/,
    );
  });

  it('undoes everything when one of several instances fails', async () => {
    behave = spec => (spec.labels['index'] === '2' ? { exit: { code: 1 } } : { listen: {} });
    await expect(runtime.deploy(desired(1, { web: 3 }), { progress })).rejects.toThrow(/web\.2/);
    expect(await engine.list()).toEqual([]);
  });

  it('stops at once when whoever asked is gone', async () => {
    behave = () => ({});
    const gone = new AbortController();
    const deploying = runtime.deploy(desired(1), { progress, signal: gone.signal });
    gone.abort(new Error('client gone'));
    await expect(deploying).rejects.toThrow('client gone');
    expect(await engine.list()).toEqual([]);
  });
});

describe('what starts at once', () => {
  const oneByOne = { parallel: () => ({ instances: () => 1, types: unlimited }) };
  const checks = () => said.filter(line => line.includes('hecks'));

  it('is no more than may be: the next waits until the one before is ready, in a deploy and a scale', async () => {
    await runtime.deploy(desired(1, { web: 2 }, oneByOne), { progress });
    expect(checks()).toEqual([
      'Attempting pre-flight checks (web.1)',
      'All checks successful (web.1)',
      'Attempting pre-flight checks (web.2)',
      'All checks successful (web.2)',
    ]);
    await runtime.scale(desired(1, { web: 4 }, oneByOne), { progress });
    expect(checks().slice(4)).toEqual([
      'Attempting pre-flight checks (web.3)',
      'All checks successful (web.3)',
      'Attempting pre-flight checks (web.4)',
      'All checks successful (web.4)',
    ]);
    expect(serving()).toBe(4);
  });

  it('is nothing more once one of it has failed, and what ran serves on', async () => {
    await runtime.deploy(desired(1, { web: 1 }), { progress });
    const started: (string | undefined)[] = [];
    behave = spec => {
      started.push(spec.env['DYNO']);
      return spec.env['DYNO'] === 'web.2' ? { exit: { code: 1 } } : { listen: {} };
    };
    await expect(runtime.deploy(desired(2, { web: 3 }, oneByOne), { progress })).rejects.toThrow(
      'web.2 exited with status 1',
    );
    expect(started).toEqual(['web.1', 'web.2']);
    expect(await versions()).toEqual(['1']);
    expect(serving()).toBe(1);
  });
});

describe('scale, stop and limits', () => {
  it('adds what is missing and drains what is too many', async () => {
    await runtime.deploy(desired(1), { progress });
    await runtime.scale(desired(1, { web: 3, worker: 1 }), { progress });
    expect(serving()).toBe(3);
    expect(runtime.instances(app).map(view => `${view.type}.${view.index}`)).toEqual([
      'web.1',
      'web.2',
      'web.3',
      'worker.1',
    ]);
    await runtime.scale(desired(1, { web: 1 }), { progress });
    expect(serving()).toBe(1);
    await waitFor(async () => expect(await running()).toHaveLength(1));
    expect(runtime.instances(app)).toHaveLength(1);
  });

  const crashed = (index: string) => events.some(event => event.startsWith(`crash: web.${index} `));
  /** web.1 has crashed and is not let up again until `repaired`, web.2 serves. */
  const halfCrashed = async () => {
    let repaired = false;
    behave = ({ labels }, starts) => {
      if (labels['index'] !== '1' || (starts > 1 && repaired)) return { listen: {} };
      return starts === 1 ? { listen: {} } : { exit: { code: 1 } };
    };
    await runtime.deploy(desired(1, { web: 2 }), { progress });
    const first = (await running()).find(({ labels }) => labels['index'] === '1');
    await engine.signal(first?.id ?? '', 'SIGKILL');
    await waitFor(() => expect(crashed('1')).toBe(true));
    return () => {
      repaired = true;
    };
  };
  const indexes = async () => (await running()).map(({ labels }) => labels['index']).sort();

  it('keeps who serves until what is to stay is up again, also after control was away', async () => {
    const repair = await halfCrashed();
    const seen = routed.length;
    await runtime.scale(desired(1, { web: 1 }), { progress });
    expect(serving()).toBe(1);
    await runtime.close();
    runtime = start();
    await runtime.recover([desired(1, { web: 1 })]);
    expect(serving()).toBe(1);
    expect(await indexes()).toContain('2');
    expect(routed.slice(seen).every(({ targets }) => targets.length > 0)).toBe(true);
    repair();
    await waitFor(async () => expect(await indexes()).toEqual(['1']));
    expect(routed.slice(seen).every(({ targets }) => targets.length > 0)).toBe(true);
  });

  it('lets who stood in go with a deploy, and with a stop', async () => {
    await halfCrashed();
    await runtime.scale(desired(1, { web: 1 }), { progress });
    behave = () => ({ listen: {} });
    await runtime.deploy(desired(2, { web: 1 }), { progress });
    await waitFor(async () => expect(await versions()).toEqual(['2']));
    await runtime.stop(app);
    expect(await engine.list()).toEqual([]);
  });

  it('stops routing before it stops, and says why the app does not answer', async () => {
    await runtime.deploy(desired(1), { progress });
    await runtime.stop(app);
    expect(routed.at(-1)).toMatchObject({
      state: { kind: 'stopped', reason: expect.stringContaining('ps:start blog') },
      targets: [],
    });
    expect(await engine.list()).toEqual([]);
  });

  it('ends one that ignores SIGTERM', async () => {
    behave = () => ({ listen: {}, stubborn: true });
    await runtime.deploy(desired(1), { progress });
    await runtime.stop(app);
    expect(await engine.list()).toEqual([]);
  });

  it.each([false, true])("asks one to end by its image's own signal (by a later daemon: %s)", async later => {
    const plain = desired(1);
    const wanted: Desired = { ...plain, image: { ...plain.image, stopSignal: 'SIGQUIT' } };
    await runtime.deploy(wanted, { progress });
    if (later) {
      await runtime.close();
      runtime = start();
      await runtime.recover([wanted]);
    }
    const [instance] = await engine.list();
    const ended = engine.wait(instance?.id ?? '');
    await runtime.stop(app);
    expect((await ended).code).toBe(128 + 3);
  });

  it('puts limits back when one instance cannot take the new ones', async () => {
    behave = spec => ({ listen: {}, memory: spec.labels['index'] === '2' ? 100 * mib : 10 * mib });
    await runtime.deploy(desired(1, { web: 2 }), { progress });
    const tight = desired(1, { web: 2 }, { limits: () => ({ memory: 64 * mib, pids: 512 }) });
    await expect(runtime.applyLimits(tight)).rejects.toThrow(/below/);
    for (const instance of await engine.list())
      expect((await engine.stats(instance.id)).memoryLimit).toBe(512 * mib);
  });
});

describe('ends', () => {
  it('restarts what crashed, takes it out of the routes meanwhile, and tells', async () => {
    behave = (_, starts) => (starts === 1 ? { listen: {}, exit: { code: 1, after: 400 } } : { listen: {} });
    await runtime.deploy(desired(1), { progress });
    await waitFor(() =>
      expect(
        events.some(event => event.startsWith('crash: web.1 exited with status 1. It is restarted in 1 s.')),
      ).toBe(true),
    );
    expect(
      routed.some(({ state }) => state.kind === 'crashed' && state.reason?.includes('exited with status 1')),
    ).toBe(true);
    await waitFor(() => expect(serving()).toBe(1));
    await waitFor(() => expect(events.at(-1)).toBe('recovered: web.1 runs again.'));
    expect(runtime.instances(app)[0]).toMatchObject({
      status: 'running',
      restarts: 1,
      lastExit: 'exited with status 1',
    });
  });

  it('tells of an instance that has no room left to write, with the remedy', async () => {
    behave = () => ({ listen: {}, fillsDisk: true });
    const limits = () => ({ ...defaultLimits, disk: 64 * mib });
    await runtime.deploy(desired(1, { web: 1 }, { limits }), { progress });
    await waitFor(() =>
      expect(events.filter(event => event.startsWith('disk:'))).toEqual([
        expect.stringMatching(
          /web\.1 has no room left to write: its disk limit is 64m\. .*resource:limit --disk 128m --process-type web blog/,
        ),
      ]),
    );
  });

  it('explains a memory kill once, with limit, peak and what happens next', async () => {
    behave = (_, starts) =>
      starts === 1 ? { listen: {}, exit: { code: 137, after: 400, oom: 'instance' } } : { listen: {} };
    await runtime.deploy(desired(1), { progress });
    await waitFor(() => expect(events.at(-1)).toBe('recovered: web.1 runs again.'));
    const told = events.filter(event => event.startsWith('oom:'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /web\.1 was killed by the kernel at its memory limit of 512m \(peak .*\)\. It is restarted in 1 s\. More memory: resource:limit/,
    );
  });

  it.each([
    ['no', 0, 1],
    ['on-failure:2', 1, 3],
    ['on-failure:2', 0, 1],
  ])('with restart-policy %s leaves one that exits with %i after %i starts', async (policy, code, most) => {
    let starts = 0;
    behave = (_, count) => {
      starts = count;
      return { listen: {}, exit: { code, after: 400 } };
    };
    let restart = parseRestartPolicy(policy);
    const upkeep = () => ({ restart, stopTimeout: undefined });
    await runtime.deploy(desired(1, { web: 1 }, { upkeep }), { progress });
    await waitFor(() => expect(runtime.instances(app)[0]?.status).toBe('exited'));
    expect(starts).toBe(most);
    expect(events.at(-1)).toMatch(/It is not restarted: restart-policy is .*ps:restart blog web/);
    expect(routed.at(-1)).toMatchObject({
      state: { kind: 'crashed', reason: expect.stringContaining('Start it with "ps:restart blog"') },
      targets: [],
    });
    behave = () => ({ listen: {} });
    restart = { kind: 'always' };
    await runtime.deploy(desired(1, { web: 1 }, { upkeep }), { progress });
    await waitFor(() => expect(runtime.instances(app).map(({ status }) => status)).toEqual(['running']));
  });

  it('asks for the restart-policy each time, so that a change holds at once', async () => {
    let restart = parseRestartPolicy('always');
    behave = (_, count) =>
      count === 1 ? { listen: {}, exit: { code: 1, after: 30 } } : { exit: { code: 1 } };
    await runtime.deploy(desired(1, { web: 1 }, { upkeep: () => ({ restart, stopTimeout: undefined }) }), {
      progress,
    });
    await waitFor(() => expect(runtime.instances(app)[0]?.restarts).toBeGreaterThan(1));
    restart = { kind: 'no' };
    await waitFor(() => expect(runtime.instances(app)[0]?.status).toBe('exited'));
  });

  it('never gives up on a crash loop', async () => {
    let starts = 0;
    behave = (_, count) => {
      starts = count;
      return count === 1 ? { listen: {}, exit: { code: 1, after: 20 } } : { exit: { code: 1 } };
    };
    await runtime.deploy(desired(1), { progress });
    await waitFor(() => expect(starts).toBeGreaterThan(4));
    expect(runtime.instances(app)[0]?.restarts).toBeGreaterThan(2);
  });
});

describe('a new name', () => {
  const renamed = { ...app, name: parseAppName('journal') };

  it('serves with what runs at once, and the group of the old one goes with its last instance', async () => {
    await runtime.deploy(desired(1), { progress });
    const [before] = await running();
    const routes = routed.length;
    await runtime.rename(renamed);
    expect(routed.slice(routes)).toMatchObject([
      { state: { kind: 'serving' }, targets: [{ id: before?.id }] },
    ]);
    const removed = vi.spyOn(engine, 'removeGroup');
    const left = runtime.leaveGroup(app.name, () => false);
    await runtime.deploy({ ...desired(1), app: renamed }, { progress });
    await left;
    expect(removed.mock.calls.every(([group]) => group === 'blog')).toBe(true);
    expect((await running()).map(({ id }) => id.startsWith('journal.'))).toEqual([true]);
  });

  it('leaves the group to an app that has the old name by then', async () => {
    await runtime.deploy(desired(1), { progress });
    const removed = vi.spyOn(engine, 'removeGroup');
    await runtime.leaveGroup(app.name, () => true);
    expect(removed).not.toHaveBeenCalled();
  });
});

describe('recovery', () => {
  it('gives what runs the limits that are stored', async () => {
    await runtime.deploy(desired(1, { web: 1 }), { progress });
    const more = { ...defaultLimits, memory: 2 * defaultLimits.memory };
    await runtime.applyLimits(desired(1, { web: 1 }, { limits: () => more }));
    await runtime.close();
    runtime = start();
    await runtime.recover([desired(1, { web: 1 })]);
    expect((await engine.list()).map(({ limits }) => limits)).toEqual([defaultLimits]);
  });

  it('sends nobody to one that was just being started, until it is up', async () => {
    let most = 0;
    behave = (_, starts) => {
      most = starts;
      return { listen: starts === 1 ? {} : { after: 500 } };
    };
    await runtime.deploy(desired(1, { web: 1 }), { progress });
    await engine.signal((await running())[0]?.id ?? '', 'SIGKILL');
    await waitFor(async () => expect([most, (await running()).length]).toEqual([2, 1]));
    await runtime.close();
    runtime = start();
    const before = routed.length;
    await runtime.recover([desired(1, { web: 1 })]);
    expect(routed.slice(before).every(({ targets }) => targets.length === 0)).toBe(true);
    await waitFor(() => expect(serving()).toBe(1));
    expect(most).toBe(2);
  });

  it('adopts what is healthy without a restart, and routes to it', async () => {
    await runtime.deploy(desired(1, { web: 2 }), { progress });
    const before = (await running()).map(instance => instance.id).sort();
    await runtime.close();
    runtime = start();
    await runtime.recover([desired(1, { web: 2 })]);
    expect((await running()).map(instance => instance.id).sort()).toEqual(before);
    expect(serving()).toBe(2);
  });

  it('starts what is missing and removes what belongs to nobody', async () => {
    await runtime.deploy(desired(1), { progress });
    await runtime.close();
    const [only] = await engine.list();
    await engine.remove(only?.id ?? '');
    await engine.create({ ...specOf('ghost'), labels: { app: '99' } });
    runtime = start();
    await runtime.recover([desired(1)]);
    await waitFor(() => expect(serving()).toBe(1));
    expect((await engine.list()).map(instance => instance.labels['app'])).toEqual(['1']);
  });

  it('finishes a switch that was committed: the new release serves, the old one ends', async () => {
    await runtime.deploy(desired(1), { progress });
    await runtime.close();
    runtime = start();
    const before = routed.length;
    await runtime.recover([desired(2)]);
    await waitFor(async () => expect(await versions()).toEqual(['2']));
    const steps = routed
      .slice(before)
      .map(({ targets }) => targets.map(target => /v(\d)/.exec(target.id)?.[1]).join());
    expect(steps).toEqual(['1', '2']);
  });

  it.each([
    ['finishes', 1, 1],
    ['takes back', 0, 0],
  ])(
    '%s a restart that was cut off, by whether it was switched to (generation %i)',
    async (_what, at, kept) => {
      await runtime.deploy(desired(1), { progress });
      const env = { PORT: String(routed.at(-1)?.targets[0]?.port) };
      await runtime.close();
      const [old] = await running();
      // The new one beside the old, as it is at the switch.
      const spec = { ...specOf('again'), env, labels: { ...old?.labels, generation: '1' } };
      await engine.create(spec);
      await engine.start(spec.id);
      runtime = start();
      await runtime.recover([desired(1, { web: 1 }, { generation: at })]);
      await waitFor(async () =>
        expect((await running()).map(({ labels }) => labels['generation'])).toEqual([String(kept)]),
      );
      expect(serving()).toBe(1);
    },
  );

  it('leaves a stopped app stopped', async () => {
    await runtime.recover([desired(1, { web: 1 }, { app: { ...app, stopped: true } })]);
    expect(await engine.list()).toEqual([]);
    expect(routed.at(-1)?.state.kind).toBe('stopped');
  });
});

const specOf = (id: string): InstanceSpec => ({
  id,
  group: 'ghost',
  labels: {},
  hostname: id,
  layers: [],
  argv: ['true'],
  env: {},
  workingDir: '/',
  user: { uid: 1000, gid: 1000 },
  limits: defaultLimits,
  logFile: join(dir, 'ghost.log'),
});

describe('sleep and wake', () => {
  const sleep = (depth: SleepDepth, also: readonly ProcessType[] = []) => runtime.sleep(app, { depth, also });
  const kinds = async () => (await engine.list()).map(instance => instance.status.kind);

  it('gives back what a frozen one does not need, and sleeps all the same when that fails', async () => {
    behave = () => ({ listen: {}, spare: 100 * mib });
    await runtime.deploy(desired(1, { web: 2 }), { progress });
    await sleep('light');
    await waitFor(() => expect(runtime.reclaimed(app)).toEqual({ bytes: 200 * mib, failures: 0 }));
    await runtime.wake(app);
    behave = () => ({ listen: {}, reclaimError: 'EIO' });
    await runtime.deploy(desired(2), { progress });
    expect(await sleep('light')).toBe(true);
    await waitFor(() => expect(runtime.reclaimed(app)).toEqual({ bytes: 200 * mib, failures: 1 }));
    expect(runtime.asleep(app)).toBe('light');
    await runtime.wake(app);
  });

  it('freezes after the edge has let go, and serves again at once', async () => {
    await runtime.deploy(desired(1), { progress });
    expect(await sleep('light')).toBe(true);
    expect(routed.at(-1)).toMatchObject({ state: { kind: 'asleep' }, targets: [] });
    expect(await kinds()).toEqual(['frozen']);
    expect(runtime.instances(app)[0]?.status).toBe('frozen');
    expect(runtime.asleep(app)).toBe('light');
    expect(noted).toEqual([undefined, 'light']);
    await runtime.wake(app);
    expect(await kinds()).toEqual(['running']);
    expect(routed.at(-1)).toMatchObject({ state: { kind: 'serving' }, targets: [{ port: 5000 }] });
    expect(noted.at(-1)).toBeUndefined();
  });

  it('stops for a deep sleep and starts the same instance', async () => {
    await runtime.deploy(desired(1), { progress });
    const [before] = await engine.list();
    expect(await sleep('deep')).toBe(true);
    expect(await kinds()).toEqual(['exited']);
    expect(runtime.asleep(app)).toBe('deep');
    await runtime.wake(app);
    expect((await running()).map(({ id }) => id)).toEqual([before?.id]);
    expect(serving()).toBe(1);
    expect(events).toEqual([]);
  });

  it('goes from frozen to stopped', async () => {
    await runtime.deploy(desired(1), { progress });
    await sleep('light');
    expect(await sleep('deep')).toBe(true);
    expect(await kinds()).toEqual(['exited']);
    await runtime.wake(app);
    expect(serving()).toBe(1);
  });

  it('stays awake, and serves on, when the edge still has a request in flight', async () => {
    await runtime.deploy(desired(1), { progress });
    quiet = false;
    expect(await sleep('light')).toBe(false);
    expect(await kinds()).toEqual(['running']);
    expect(routed.at(-1)).toMatchObject({ state: { kind: 'serving' }, targets: [{ port: 5000 }] });
    expect(runtime.asleep(app)).toBeUndefined();
  });

  it('does not put to sleep what is being restarted, what is stopped or what has no web', async () => {
    expect(await sleep('light')).toBe(false);
    await runtime.deploy(desired(1, { worker: 1 }), { progress });
    expect(await sleep('light')).toBe(false);
    await runtime.deploy(desired(2), { progress });
    await runtime.stop(app);
    expect(await sleep('deep')).toBe(false);
  });

  it('keeps workers awake unless they follow', async () => {
    await runtime.deploy(desired(1, { web: 1, worker: 1 }), { progress });
    await sleep('light');
    expect((await kinds()).sort()).toEqual(['frozen', 'running']);
    await runtime.wake(app);
    await sleep('deep', [worker]);
    expect(await kinds()).toEqual(['exited', 'exited']);
    await runtime.wake(app);
    await waitFor(async () => expect(await kinds()).toEqual(['running', 'running']));
  });

  it('lets nobody wait for an app that is slow to stop', async () => {
    await runtime.close();
    runtime = start(60_000);
    behave = () => ({ listen: {}, stubborn: true });
    await runtime.deploy(desired(1), { progress });
    const sleeping = sleep('deep');
    await waitFor(() => expect(noted.at(-1)).toBe('deep'));
    await runtime.wake(app);
    expect(await sleeping).toBe(true);
    expect(serving()).toBe(1);
  });

  it('stays awake when somebody comes while it is taken out of the routes', async () => {
    await runtime.deploy(desired(1), { progress });
    const sleeping = sleep('deep');
    await Promise.resolve();
    await Promise.all([runtime.wake(app), sleeping]);
    expect(serving()).toBe(1);
    expect(await kinds()).toEqual(['running']);
  });

  it('wakes once for all who ask at once', async () => {
    await runtime.deploy(desired(1), { progress });
    await sleep('deep');
    let starts = 0;
    behave = () => {
      starts++;
      return { listen: {} };
    };
    await Promise.all([runtime.wake(app), runtime.wake(app), runtime.wake(app)]);
    expect(starts).toBe(1);
  });

  it('tells visitors why it does not start, lets nobody try for a while, and then sleeps again', async () => {
    await runtime.deploy(desired(1), { progress });
    await sleep('deep');
    let starts = 0;
    behave = () => {
      starts++;
      return { exit: { code: 3 } };
    };
    await expect(runtime.wake(app)).rejects.toThrow('web.1 exited with status 3 before it was ready');
    expect(routed.at(-1)).toMatchObject({
      state: { kind: 'crashed', reason: expect.stringContaining('web.1 exited with status 3') },
    });
    expect(runtime.asleep(app)).toBe('deep');
    await expect(runtime.wake(app)).rejects.toThrow('web.1 exited with status 3');
    expect(starts).toBe(1);
    await waitFor(() => expect(routed.at(-1)).toMatchObject({ state: { kind: 'asleep' } }));
    await expect(runtime.wake(app)).rejects.toThrow('web.1 exited with status 3');
    expect(starts).toBe(2);
  });

  it('forgives with the next deploy', async () => {
    await runtime.deploy(desired(1), { progress });
    await sleep('deep');
    behave = () => ({ exit: { code: 3 } });
    await expect(runtime.wake(app)).rejects.toThrow();
    behave = () => ({ listen: {} });
    await runtime.deploy(desired(2), { progress });
    expect(routed.at(-1)).toMatchObject({ state: { kind: 'serving' } });
    await waitFor(async () => expect(await versions()).toEqual(['2']));
    expect(await kinds()).toEqual(['running']);
  });

  it('starts anew what was killed while it was frozen', async () => {
    await runtime.deploy(desired(1), { progress });
    await sleep('light');
    const [frozen] = await engine.list();
    await engine.signal(frozen?.id ?? '', 'SIGKILL');
    await waitFor(async () => expect(await kinds()).toEqual(['exited']));
    expect(runtime.asleep(app)).toBe('deep');
    expect(routed.at(-1)).toMatchObject({ state: { kind: 'asleep' } });
    await runtime.wake(app);
    expect(serving()).toBe(1);
  });

  it('lets what is scaled away by itself end with its last request, also after control was away', async () => {
    await runtime.deploy(desired(1, { web: 2 }), { progress });
    quiet = false;
    await runtime.scale(desired(1, { web: 1 }), { progress, patient: true });
    await waitFor(() => expect(drained.length).toBeGreaterThan(2));
    expect((await running()).length).toBe(2);
    await runtime.close();
    runtime = start();
    await runtime.recover([desired(1, { web: 1 })]);
    const before = drained.length;
    await waitFor(() => expect(drained.length).toBeGreaterThan(before + 2));
    expect((await running()).length).toBe(2);
    expect(serving()).toBe(1);
    quiet = true;
    await waitFor(async () => expect((await running()).length).toBe(1));
  });

  it.each(['deploy', 'stop'] as const)('does not wait for what was scaled away in a %s', async how => {
    await runtime.deploy(desired(1, { web: 2 }), { progress });
    quiet = false;
    await runtime.scale(desired(1, { web: 1 }), { progress, patient: true });
    if (how === 'stop') await runtime.stop(app);
    else await runtime.deploy(desired(2, { web: 1 }), { progress });
    await waitFor(async () => expect(await versions()).toEqual(how === 'stop' ? [] : ['2']));
  });

  it('stops, scales and deploys what sleeps', async () => {
    await runtime.deploy(desired(1), { progress });
    await sleep('light');
    await runtime.scale(desired(1, { web: 2 }), { progress });
    expect(serving()).toBe(2);
    await sleep('light');
    await runtime.deploy(desired(2), { progress });
    await waitFor(async () => expect(await versions()).toEqual(['2']));
    await sleep('light');
    await runtime.stop(app);
    expect(await engine.list()).toEqual([]);
    expect(noted.at(-1)).toBeUndefined();
  });

  it.each(['light', 'deep'] as const)('is found asleep (%s) by the next daemon', async depth => {
    await runtime.deploy(desired(1), { progress });
    await sleep(depth);
    await runtime.close();
    runtime = start();
    await runtime.recover([desired(1, { web: 1 }, { asleep: depth })]);
    expect(routed.at(-1)).toMatchObject({ state: { kind: 'asleep' }, targets: [] });
    expect(runtime.asleep(app)).toBe(depth);
    await runtime.wake(app);
    expect(serving()).toBe(1);
  });

  it('is made, and not started, by a daemon that finds nothing of an app that slept', async () => {
    await runtime.deploy(desired(1), { progress });
    await sleep('deep');
    await runtime.close();
    for (const { id } of await engine.list()) await engine.remove(id);
    runtime = start();
    await runtime.recover([desired(1, { web: 1 }, { asleep: 'deep' })]);
    await waitFor(() => expect(runtime.asleep(app)).toBe('deep'));
    expect(await kinds()).toEqual(['created']);
    await runtime.wake(app);
    expect(serving()).toBe(1);
  });

  it('is awake for a daemon that died between its note and the sleep', async () => {
    await runtime.deploy(desired(1), { progress });
    await runtime.close();
    runtime = start();
    await runtime.recover([desired(1, { web: 1 }, { asleep: 'light' })]);
    expect(serving()).toBe(1);
    expect(noted.at(-1)).toBeUndefined();
  });
});

describe('memory of the host', () => {
  const each = defaultLimits.memory;

  it('is asked for before instances are made, and given back once they count', async () => {
    await runtime.deploy(desired(1, { web: 2, worker: 1 }), { progress });
    expect(admitted).toEqual([3 * each, -3 * each]);
    expect(runtime.reserved()).toBe(3 * each);
    await runtime.scale(desired(1, { web: 3, worker: 1 }), { progress });
    expect(admitted.slice(2)).toEqual([each, -each]);
  });

  it('is no more than the quota of the app', async () => {
    await runtime.deploy(desired(1, { web: 3 }, { quota: { memory: each, pids: null } }), { progress });
    expect(admitted[0]).toBe(each);
    expect(runtime.reserved()).toBe(each);
  });

  it('is not there: nothing is made, and what runs stays', async () => {
    await runtime.deploy(desired(1), { progress });
    full = true;
    await expect(runtime.deploy(desired(2), { progress })).rejects.toThrow('short of memory');
    expect(await versions()).toEqual(['1']);
    expect(serving()).toBe(1);
  });

  it('is given back by a deep sleep, and not by a light one; a wake asks for it anew', async () => {
    await runtime.deploy(desired(1), { progress });
    await runtime.sleep(app, { depth: 'light', also: [] });
    expect(runtime.reserved()).toBe(each);
    await runtime.wake(app);
    await runtime.sleep(app, { depth: 'deep', also: [] });
    expect(runtime.reserved()).toBe(0);
    admitted.length = 0;
    full = true;
    await expect(runtime.wake(app)).rejects.toThrow('short of memory');
    expect(routed.at(-1)).toMatchObject({
      state: { kind: 'crashed', reason: expect.stringContaining('The host is short of memory') },
    });
    full = false;
    await waitFor(() => expect(routed.at(-1)).toMatchObject({ state: { kind: 'asleep' } }));
    await runtime.wake(app);
    expect(admitted).toEqual([each, each, -each]);
  });

  it('is asked for when a limit is raised, for what it adds', async () => {
    await runtime.deploy(desired(1), { progress });
    admitted.length = 0;
    const more = { ...defaultLimits, memory: 2 * each };
    await runtime.applyLimits(desired(1, { web: 1 }, { limits: () => more }));
    expect(admitted).toEqual([each, -each]);
    expect(runtime.reserved()).toBe(2 * each);
    full = true;
    const most = { ...defaultLimits, memory: 4 * each };
    await expect(runtime.applyLimits(desired(1, { web: 1 }, { limits: () => most }))).rejects.toThrow(
      'short of memory',
    );
    expect(runtime.reserved()).toBe(2 * each);
  });
});
