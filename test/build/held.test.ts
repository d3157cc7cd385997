import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { heldTo } from '../../src/build/held.ts';
import { type BuildLimits, buildDefaults } from '../../src/domain/build-limits.ts';
import type { ReachableHost, SandboxSpec, SandboxStep } from '../../src/engine/engine.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-held-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const named: ReachableHost = { name: 'cache.lan', addresses: ['10.1.2.3'], ports: [443] };

function hold(limits: Partial<BuildLimits> = {}) {
  const seen = { specs: [] as SandboxSpec[], steps: [] as SandboxStep[], opened: 0, asked: 0, closed: 0 };
  const held = heldTo(
    {
      limits: { ...buildDefaults, ...limits },
      dir,
      reach: async () => {
        seen.asked += 1;
        return [named];
      },
      onOpen: () => {
        seen.opened += 1;
      },
    },
    {
      async openSandbox(spec) {
        seen.specs.push(spec);
        return {
          id: spec.id,
          run: async step => {
            seen.steps.push(step);
            return 7;
          },
          close: async () => {
            seen.closed += 1;
          },
        };
      },
    },
  );
  return { seen, held };
}

/** What asks for all there is. */
const greedy: SandboxSpec = {
  id: 'build-1',
  layers: [],
  mounts: [],
  limits: { memory: 2 ** 50, pids: 1e6 },
  cpu: 1000,
  network: 'host-uplink',
  reach: [{ name: 'other', addresses: ['10.0.0.1'], ports: [22] }],
  hostname: 'build',
  scratch: '/elsewhere',
};

const step = (changes: Partial<SandboxStep> = {}): SandboxStep => ({
  argv: ['true'],
  env: {},
  cwd: '/',
  user: 'root',
  onOutput: () => {},
  timeout: 2 ** 31,
  ...changes,
});

describe("a build's sandbox", () => {
  it('has the limits of the build, whatever is asked for', async () => {
    const { held, seen } = hold({ memory: 2 ** 29, pids: 99, cpu: 10 });
    await held.openSandbox(greedy);
    expect(seen.specs[0]).toMatchObject({ limits: { memory: 2 ** 29, pids: 99 }, cpu: 10, reach: [named] });
    expect(seen.opened).toBe(1);
  });

  it.each([
    ['all', 'host-uplink', [named]],
    ['registries', 'hosts', [named]],
    ['none', 'none', []],
  ] as const)('with network %s is on %s', async (network, mode, reach) => {
    const { held, seen } = hold({ network });
    await held.openSandbox(greedy);
    expect(seen.specs[0]).toMatchObject({ network: mode, reach });
    expect(seen.asked).toBe(network === 'none' ? 0 : 1);
  });

  it('has no network where none was asked for', async () => {
    const { held, seen } = hold({ network: 'all' });
    await held.openSandbox({ ...greedy, network: 'none' });
    expect(seen.specs[0]?.network).toBe('none');
  });

  it('writes its throw-away layer into a folder of its own that counts as written by the build', async () => {
    const { held, seen } = hold();
    await held.openSandbox(greedy);
    await held.openSandbox({ ...greedy, id: 'build-2' });
    const folders = seen.specs.map(({ scratch }) => scratch ?? '');
    expect(new Set(folders).size).toBe(2);
    expect(folders.every(folder => folder.startsWith(`${dir}/`) && existsSync(folder))).toBe(true);
  });

  it('runs steps within the time and silence of the build, or within less where they ask for less', async () => {
    const { held, seen } = hold({ time: 60_000, silence: 20_000 });
    const box = await held.openSandbox(greedy);
    expect(await box.run(step())).toBe(7);
    await box.run(step({ silence: 2 ** 31 }));
    await box.run(step({ timeout: 5000, silence: 3000 }));
    expect(seen.steps.map(({ timeout, silence }) => [timeout, silence])).toEqual([
      [60_000, 20_000],
      [60_000, 20_000],
      [5000, 3000],
    ]);
    await box.close();
    expect(seen.closed).toBe(1);
  });
});
