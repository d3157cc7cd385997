import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HealthCheck } from '../../src/domain/health-check.ts';
import { type AppName, type ProcessType, parseAppName } from '../../src/domain/names.ts';
import type { Progress } from '../../src/domain/push.ts';
import { defaultLimits } from '../../src/domain/quota.ts';
import type { ExecSpec } from '../../src/engine/engine.ts';
import { FakeEngine } from '../../src/engine/fake/fake-engine.ts';
import { createRuntime } from '../../src/runtime/create.ts';
import type { Desired, Runtime } from '../../src/runtime/runtime.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLog as log } from '../../src/system/log.ts';

const app = {
  id: 1,
  name: parseAppName('blog'),
  createdAt: new Date(),
  deployBranch: 'main',
  stopped: false,
};
const clock = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 5), signal),
};

let dir: string;
let engine: FakeEngine;
let runtime: Runtime;
let exec: (options: ExecSpec) => number;
let said: string[];
let progress: Progress;
let serving: number;
let served: string[];
let drained: string[];
let events: string[];

const open = (): void => {
  runtime = createRuntime({
    ...{ engine, clock, log, logsDir: dir, readyTimeout: 1000, stopTimeout: 50 },
    mounts: async () => [],
    networks: () => ({ early: [], all: [] }),
    sink: {
      set: async (_: AppName, __, targets) => {
        serving = targets.length;
        served.push(targets.map(({ id }) => /(web\.\d)/.exec(id)?.[1]).join());
      },
      drained: async ids => void drained.push(...ids),
      quiet: () => true,
    },
    admit: async () => () => {},
    noteSleep: () => {},
    event: (_, kind, message) => void events.push(`${kind}: ${message}`),
  });
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-startup-'));
  exec = () => 0;
  said = [];
  serving = 0;
  served = [];
  drained = [];
  events = [];
  const say = (text: string) => void said.push(text);
  progress = { header: say, step: say, detail: say, warn: say, raw: say };
  engine = new FakeEngine({
    behave: ({ labels }) => ({
      ...(labels['type'] === 'web' ? { listen: {} } : {}),
      output: [{ stream: 'stdout', text: `hello from v${labels['version']}` }],
    }),
    exec: async (_, options) => exec(options),
  });
  open();
});
afterEach(async () => {
  await runtime.close();
  await engine.purge();
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
});

const command = (more: Partial<HealthCheck> = {}): HealthCheck => ({
  ...{ name: 'inside', type: 'startup', probe: { kind: 'command', command: ['bin/check'] } },
  ...{ attempts: 2, wait: 10 },
  ...more,
});
const desired = (version: number, type: string, checks: readonly HealthCheck[]): Desired => ({
  ...{ app, version, config: {}, limits: () => defaultLimits, quota: { memory: null, pids: null } },
  image: {
    ...{ id: 'sha256:1', layers: [], env: {}, workingDir: '/', user: { uid: 1000, gid: 1000 }, labels: {} },
    entrypoint: ['/cnb/lifecycle/launcher', '--'],
    processes: [{ type: type as ProcessType, command: [type], workingDir: '/' }],
    healthchecks: { [type]: checks },
  },
  counts: new Map([[type as ProcessType, 1]]),
});
const scaled = (count: number, wanted: Desired): Desired => ({
  ...wanted,
  counts: new Map([...wanted.counts.keys()].map(type => [type, count])),
});
const versions = async () => (await engine.list()).map(({ labels }) => labels['version']);

describe('startup checks', () => {
  it('hold a release back until they pass, run by the launcher of the image', async () => {
    const asked: (readonly string[])[] = [];
    exec = ({ argv }) => (asked.push(argv) < 3 ? 1 : 0);
    await runtime.deploy(desired(1, 'web', [command({ attempts: 1000 })]), { progress });
    expect(asked[2]).toEqual(['/cnb/lifecycle/launcher', '--', 'bin/check']);
    expect(asked).toHaveLength(3);
    expect(serving).toBe(1);
  });

  it('that fail leave what runs alone, and tell the last answer and the last lines of the log', async () => {
    await runtime.deploy(desired(1, 'web', []), { progress });
    const probe = {
      kind: 'http',
      path: '/up',
      scheme: 'http',
      headers: [],
      content: 'no such text',
    } as const;
    const failing = runtime.deploy(desired(2, 'web', [command({ probe })]), { progress });
    await expect(failing).rejects.toThrow(
      /Release v2 does not start: web.1 not ready within \d s: its health check \/up answers 200 without "no such text"/,
    );
    expect(said).toContain('hello from v2');
    expect(await versions()).toEqual(['1']);
    expect(serving).toBe(1);
  });

  it('are of every process type, not of web alone', async () => {
    exec = () => 1;
    const failing = runtime.deploy(desired(1, 'worker', [command()]), { progress });
    await expect(failing).rejects.toThrow('its check "bin/check" ends with status 1');
    expect(await versions()).toEqual([]);
  });

  it('of readiness count at the start too, those of liveness do not', async () => {
    exec = () => 1;
    await runtime.deploy(desired(1, 'worker', [command({ type: 'liveness' })]), { progress });
    const failing = runtime.deploy(desired(2, 'worker', [command({ type: 'readiness' })]), { progress });
    await expect(failing).rejects.toThrow('bin/check');
  });

  it('that only warn stop nothing, and an app may act on what fails', async () => {
    const asked: string[] = [];
    exec = ({ argv }) => {
      asked.push(argv.at(-1) ?? '');
      return 1;
    };
    await runtime.deploy(desired(1, 'web', [command({ warn: true, onFailure: ['bin/tell'] })]), { progress });
    expect(serving).toBe(1);
    expect(said.join('\n')).toMatch(/Check "inside" fails: .* It stops nothing\. \(web\.1\)/);
    expect(asked.at(-1)).toBe('bin/tell');
  });

  it('take what they do not say from the settings of the app, as they are then', async () => {
    exec = () => 1;
    const check: HealthCheck = { name: 'x', type: 'startup', probe: { kind: 'command', command: ['x'] } };
    const quick = {
      ...desired(1, 'worker', [check]),
      checks: () => ({ pace: { attempts: 1, wait: 0, timeout: 50 } }),
    };
    await expect(runtime.deploy(quick, { progress })).rejects.toThrow('not ready within 0 s');
  });

  it('run again when the app wakes, but for uptime, and not at all when they are disabled', async () => {
    let asked = 0;
    exec = () => {
      asked += 1;
      return 0;
    };
    const slept: number[] = [];
    const { sleep } = clock;
    clock.sleep = (ms, signal) => {
      slept.push(ms);
      return sleep(ms, signal);
    };
    const uptime = { ...command(), probe: { kind: 'uptime', uptime: 77_000 } } as const;
    let off = false;
    const checks = () => ({ pace: { attempts: 1, wait: 0, timeout: 50 }, disabled: () => off });
    await runtime.deploy({ ...desired(1, 'web', [command(), uptime]), checks }, { progress });
    expect([asked, slept.filter(ms => ms === 77_000).length]).toEqual([1, 1]);
    const again = async () => {
      expect(await runtime.sleep(app, { depth: 'deep', also: [] })).toBe(true);
      await runtime.wake(app);
    };
    await again();
    off = true;
    await again();
    clock.sleep = sleep;
    expect([asked, slept.filter(ms => ms === 77_000).length]).toEqual([2, 1]);
    expect(serving).toBe(1);
  });

  it('are over when the process ends', async () => {
    exec = () => {
      void engine.list().then(all => all.map(({ id }) => engine.signal(id, 'SIGKILL')));
      return 1;
    };
    const failing = runtime.deploy(desired(1, 'worker', [command({ attempts: 1000, wait: 1000 })]), {
      progress,
    });
    await expect(failing).rejects.toThrow('was ended by signal 9 before it was ready');
  });
});

describe('liveness checks', () => {
  const live = command({ name: 'live', type: 'liveness', attempts: 3 });

  it('that fail as often as they may, take the instance from its visitors, let requests end and restart it', async () => {
    const asked: number[] = [];
    exec = () => {
      asked.push(serving);
      return asked.length >= 2 && asked.length <= 4 ? 1 : 0;
    };
    await runtime.deploy(desired(1, 'web', [live]), { progress });
    const [before] = await engine.list();
    await vi.waitFor(() =>
      expect(runtime.instances(app)[0]).toMatchObject({ restarts: 1, status: 'running' }),
    );
    await vi.waitFor(() => expect(serving).toBe(1));
    expect(served).toContain('');
    expect(drained).toEqual([before?.id]);
    expect(events[0]).toMatch(
      /^crash: web.1 failed its liveness check "live" 3 times: its check "bin\/check" ends with status 1. It is restarted in 1 s./,
    );
    expect(events).toContain('recovered: web.1 runs again.');
  });

  it('that fail now and then do nothing', async () => {
    let asked = 0;
    exec = () => (++asked % 3 === 0 ? 0 : 1);
    await runtime.deploy(desired(1, 'worker', [live]), { progress });
    await vi.waitFor(() => expect(asked).toBeGreaterThan(8));
    expect(events).toEqual([]);
  });

  it('restart what has policy on-failure too, whatever status it ends with', async () => {
    let asked = 0;
    exec = () => (++asked <= 3 ? 1 : 0);
    const upkeep = () => ({ restart: { kind: 'on-failure', most: 1 }, stopTimeout: undefined }) as const;
    await runtime.deploy({ ...desired(1, 'worker', [live]), upkeep }, { progress });
    await vi.waitFor(() =>
      expect(runtime.instances(app)[0]).toMatchObject({ restarts: 1, status: 'running' }),
    );
  });

  it('are not asked while the app is frozen, and go on when it wakes', async () => {
    let asked = 0;
    exec = () => {
      asked += 1;
      return 0;
    };
    await runtime.deploy(desired(1, 'web', [live]), { progress });
    await vi.waitFor(() => expect(asked).toBeGreaterThan(0));
    expect(await runtime.sleep(app, { depth: 'light', also: [] })).toBe(true);
    // One may be under way.
    await new Promise(resolve => setTimeout(resolve, 20));
    const before = asked;
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(asked).toBe(before);
    const checks = await runtime.check(desired(1, 'web', [live]), ['web'], new AbortController().signal);
    expect(checks).toEqual([
      { dyno: 'web.1', name: 'live', type: 'liveness', outcome: 'skipped', why: 'it is asleep' },
    ]);
    expect(runtime.asleep(app)).toBe('light');
    await runtime.wake(app);
    await vi.waitFor(() => expect(asked).toBeGreaterThan(before));
    expect(events).toEqual([]);
  });

  it('go on when control comes back', async () => {
    const wanted = desired(1, 'web', [live]);
    await runtime.deploy(wanted, { progress });
    await runtime.close();
    let asked = 0;
    exec = () => (++asked <= 3 ? 1 : 0);
    open();
    await runtime.recover([wanted]);
    await vi.waitFor(() =>
      expect(runtime.instances(app)[0]).toMatchObject({ restarts: 1, status: 'running' }),
    );
    expect(events[0]).toContain('failed its liveness check');
  });

  it('rest when checks of the type are disabled', async () => {
    exec = () => 1;
    const checks = () => ({ pace: { attempts: 1, wait: 0, timeout: 50 }, disabled: () => true });
    await runtime.deploy({ ...desired(1, 'worker', [live]), checks }, { progress });
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(events).toEqual([]);
  });
});

describe('readiness checks', () => {
  it('take an instance from its visitors and give it back, but never the last one', async () => {
    let sick: string[] = [];
    await engine.purge();
    await runtime.close();
    engine = new FakeEngine({
      behave: () => ({ listen: {} }),
      exec: async spec => (sick.includes(spec.env['DYNO'] ?? '') ? 1 : 0),
    });
    open();
    const ready = command({ type: 'readiness', attempts: 2 });
    await runtime.deploy(scaled(2, desired(1, 'web', [ready])), { progress });
    expect(serving).toBe(2);
    sick = ['web.2'];
    await vi.waitFor(() => expect(served.at(-1)).toBe('web.1'));
    sick = ['web.1', 'web.2'];
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(serving).toBe(1);
    sick = [];
    await vi.waitFor(() => expect(serving).toBe(2));
    expect(events.at(-1)).toBe('check: web.2 gets requests again.');
    expect(runtime.instances(app).map(({ restarts }) => restarts)).toEqual([0, 0]);
  });
});

describe('checks that are left out', () => {
  it('when skipped, let the new in beside the old without asking', async () => {
    await runtime.deploy(desired(1, 'web', []), { progress });
    exec = () => 1;
    const checks = () => ({ pace: { attempts: 1, wait: 0, timeout: 50 }, skipped: () => true });
    await runtime.deploy({ ...desired(2, 'web', [command()]), checks }, { progress });
    expect(said).toContain('Checks are left out (web.1)');
    expect(served).not.toContain('');
  });

  it('when disabled, end the old before the new begins, and bring it back when that cannot be', async () => {
    const disabled = (version: number) => ({
      ...desired(version, 'web', [command()]),
      checks: () => ({ pace: { attempts: 1, wait: 0, timeout: 50 }, disabled: () => true }),
    });
    await runtime.deploy(desired(1, 'web', []), { progress });
    const commit = () => {
      throw new Error('disk full');
    };
    await expect(runtime.deploy(disabled(2), { progress, commit })).rejects.toThrow('disk full');
    expect(served.at(-1)).toBe('');
    await vi.waitFor(async () => expect([serving, await versions()]).toEqual([1, ['1']]));
    await runtime.deploy(disabled(3), { progress });
    expect(await versions()).toEqual(['3']);
    expect(serving).toBe(1);
  });
});
