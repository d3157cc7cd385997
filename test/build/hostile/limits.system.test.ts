import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BuildLimits } from '../../../src/domain/build-limits.ts';
import { leftovers } from '../../support/leftovers.ts';
import { until } from '../../support/until.ts';
import { processesIn, type ShellBench, shellBenches, web } from '../support/shell-bench.ts';

// Builds that take more than they may: each is ended, told in one sentence, and leaves nothing.

const mib = 2 ** 20;
const { open, source } = shellBenches();

/** Nothing of a build that ended: no sandbox, no work folder, no process. */
async function expectNothingLeft(bench: ShellBench): Promise<void> {
  expect(bench.sandboxGroups('memory')).toEqual([]);
  expect(readdirSync(join(bench.paths.builds, 'app'))).toEqual([]);
  const left = await leftovers(bench.paths.builds);
  // The one mount of the folder itself that maps its owners.
  expect(left.filter(line => !line.includes(`${bench.paths.builds} /run/wherry-`))).toEqual([]);
}

const tooMany = `perl -e 'for (1..300) { my $p = fork; die "no more\\n" unless defined $p; if (!$p) { sleep 60; exit } }'`;
const bomb = `perl -e 'fork while 1'`;

const remedy = (what: string) => `raise the limit with: builds:set app ${what}`;

describe('a build that meets a limit ends with one sentence', () => {
  it.each<[string, string, Partial<BuildLimits>, string]>([
    [
      'of memory',
      `perl -e '$x = "a" x (400 << 20)'`,
      { memory: 96 * mib },
      `The build was killed at its memory limit of 96m: let it use less, or ${remedy('memory 192m')}`,
    ],
    [
      'of memory, in a child that its parent does not wait for',
      `perl -e '$x = "a" x (400 << 20)' & sleep 5; false`,
      { memory: 96 * mib },
      `The build was killed at its memory limit of 96m: let it use less, or ${remedy('memory 192m')}`,
    ],
    [
      'of time, while it prints',
      'while true; do echo on; sleep 0.1; done',
      { time: 4000 },
      `The build was stopped at its time limit of 4s: let it do less, or ${remedy('timeout 8s')}`,
    ],
    [
      'of silence',
      'sleep 100',
      { silence: 2000 },
      `The build was stopped because it printed nothing for 2s: let long steps print their progress, or ${remedy('silence 4s')}`,
    ],
    [
      'of disk, in a layer',
      'mkdir "$CNB_LAYERS_DIR/l"; head -c 80M /dev/zero > "$CNB_LAYERS_DIR/l/big"; sleep 20',
      { disk: 32 * mib },
      `The build wrote more than its disk limit of 32m: let it write less, or ${remedy('disk 64m')}`,
    ],
    [
      'of disk, in the app and too fast for a watch',
      `head -c 80M /dev/zero > /workspace/big; ${web}`,
      { disk: 32 * mib },
      `The build wrote more than its disk limit of 32m: let it write less, or ${remedy('disk 64m')}`,
    ],
    [
      'of disk, in its throw-away layer',
      'head -c 80M /dev/zero > "$HOME/big"; sleep 20',
      { disk: 32 * mib },
      `The build wrote more than its disk limit of 32m: let it write less, or ${remedy('disk 64m')}`,
    ],
    [
      'of disk, by a hole of a terabyte in a layer',
      `mkdir "$CNB_LAYERS_DIR/l"; truncate --size=1T "$CNB_LAYERS_DIR/l/sparse"
       printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/l.toml"; ${web}`,
      { disk: 64 * mib },
      `The build wrote more than its disk limit of 64m: let it write less, or ${remedy('disk 128m')}`,
    ],
    [
      'of disk, by a hole of a terabyte in the app',
      `truncate --size=1T /workspace/sparse; ${web}`,
      { disk: 64 * mib },
      `The build wrote more than its disk limit of 64m: let it write less, or ${remedy('disk 128m')}`,
    ],
    [
      'of processes',
      tooMany,
      { pids: 64 },
      `The build failed at its limit of 64 processes and threads: let it start fewer at once, or ${remedy('processes 128')}`,
    ],
  ])('%s', async (_name, build, limits, message) => {
    const bench = await open({ a: { build } });
    const began = performance.now();
    const error = await bench.build(source(), { limits }).catch(caught => caught);
    expect(error.message).toBe(message);
    expect(error.code).toBe('build-failed');
    expect(performance.now() - began).toBeLessThan(30_000);
    await expectNothingLeft(bench);
  });

  it('of time, counted over all its steps', async () => {
    const nap = { build: `for i in 1 2 3 4 5; do echo $i; sleep 0.5; done; ${web}` };
    const bench = await open({ a: nap, b: nap, c: nap });
    await expect(bench.build(source(), { limits: { time: 5000 } })).rejects.toThrow('time limit of 5s');
    await expectNothingLeft(bench);
  });

  it.each<[string, string, Partial<BuildLimits>?]>([
    ['in perl', bomb],
    ['in bash', 'bomb() { bomb | bomb & }; bomb; sleep 100'],
    ['that says something all the time', `while true; do echo on; sleep 0.2; done & ${bomb}`],
    ['that is silent', `${bomb}`, { silence: 3000, time: 60_000 }],
  ])(
    'of processes, where it is a fork bomb %s that never ends, and the host stays usable',
    async (...[, build, more]) => {
      const bench = await open({ a: { build } });
      const began = performance.now();
      const limits = { pids: 128, time: 6000, ...more };
      const error = await bench.build(source(), { limits }).catch(caught => caught);
      expect(error.message).toBe(
        `The build failed at its limit of 128 processes and threads: let it start fewer at once, or ${remedy('processes 256')}`,
      );
      expect(performance.now() - began).toBeLessThan(30_000);
      await expectNothingLeft(bench);
    },
  );

  it('of the host, when it is killed from outside', async () => {
    const bench = await open({ a: { build: 'sleep 100' } });
    const build = bench.build(source()).catch(caught => caught);
    const group = await until('the build step', () =>
      bench.sandboxGroups('memory').find(path => commands(path).includes('sleep\x00100')),
    );
    for (const pid of processesIn(group)) process.kill(pid, 'SIGKILL');
    expect((await build).message).toBe(
      "The build's container was killed from outside, at none of its limits. Build again.",
    );
    await expectNothingLeft(bench);
  });

  it('that is not one, when a program fails by itself', async () => {
    const bench = await open({ a: { build: 'kill -KILL $$' } });
    await expect(bench.build(source())).rejects.toThrow(
      'The build failed: buildpack a was killed, at no limit of Wherry. Its output is above.',
    );
  });
});

describe('a build within its limits', () => {
  it('goes on while it prints, for longer than the silence it may keep', async () => {
    const bench = await open({ a: { build: `for i in $(seq 20); do echo $i; sleep 0.3; done; ${web}` } });
    await expect(bench.build(source(), { limits: { silence: 3000 } })).resolves.toMatchObject({});
  });

  it('has files with holes and hard links, as many as the disk limit allows', async () => {
    const build = `mkdir "$CNB_LAYERS_DIR/l"; cd "$CNB_LAYERS_DIR/l"
      head -c 5M /dev/zero > a; for i in 1 2 3; do ln a "a$i"; done; truncate --size=10M sparse
      printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/l.toml"; ${web}`;
    const bench = await open({ a: { build } });
    await expect(bench.build(source(), { limits: { disk: 32 * mib } })).resolves.toMatchObject({});
  });

  it('is held by the kernel to what was set', async () => {
    const bench = await open({ a: { build: 'sleep 100' } });
    const controller = new AbortController();
    const limits = { memory: 200 * mib, pids: 77, cpu: 10 };
    const build = bench.build(source(), { limits, signal: controller.signal }).catch(caught => caught);
    const group = (name: string) =>
      until(`the build's ${name} group`, () =>
        bench.sandboxGroups(name).find(path => processesIn(path).length > 1),
      );
    const [memory, pids, cpu] = [await group('memory'), await group('pids'), await group('cpu')];
    expect(read(memory, 'memory.max', 'memory.limit_in_bytes')).toBe(String(limits.memory));
    expect(read(pids, 'pids.max')).toBe('77');
    const shares = existsSync(join(cpu, 'cpu.shares')) ? '102' : '10';
    expect(read(cpu, 'cpu.weight', 'cpu.shares')).toBe(shares);
    expect(read(join(cpu, '..'), 'cpu.weight', 'cpu.shares')).toBe(shares);
    controller.abort();
    await build;
    await expectNothingLeft(bench);
  });
});

/** The first of these files that there is: those of cgroup version 2, then 1. */
function read(group: string, ...names: string[]): string {
  const found = names.map(name => join(group, name)).find(existsSync);
  return found === undefined ? '' : readFileSync(found, 'utf8').trim();
}

function commands(group: string): string {
  return processesIn(group)
    .map(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    .join('\n');
}
