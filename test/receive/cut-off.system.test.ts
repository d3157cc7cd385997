import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { createReceiver } from '../../src/receive/index.ts';
import { systemClock } from '../../src/system/clock.ts';
import { spawn } from '../../src/system/exec.ts';
import { createLocks } from '../../src/system/locks.ts';
import { silentLog } from '../../src/system/log.ts';
import { createPaths } from '../../src/system/paths.ts';
import type { Repository } from '../support/git.ts';
import { sleep, until } from '../support/until.ts';
import { type Harness, latch, startHarness } from './harness.ts';

let harness: Harness;
let count = 0;
let app = '';
let repository: Repository;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.end());
beforeEach(async () => {
  count += 1;
  app = `cut${count}`;
  repository = await harness.repository(app);
  harness.deploy = () => {};
});

const head = () => harness.receiver.head(parseAppName(app), 'main');

/** A push whose whole process group can be killed. */
function startPush() {
  const child = spawn('git', ['push', 'wherry', 'main'], {
    cwd: repository.dir,
    env: { PATH: process.env['PATH'], ...harness.env },
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
  const kill = () => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  };
  return { ended, kill };
}

async function expectClean() {
  await until('git to be gone', () => harness.processes(app).length === 0);
  await until('nothing to be left', () => harness.leftovers(app).length === 0);
}

describe('a client that leaves', () => {
  it('during the deploy does not end it: the branch moves once it is live', async () => {
    const [started, left] = [latch(), latch()];
    let aborted: boolean | undefined;
    harness.deploy = async (_push, _source, { progress, signal }) => {
      started.open();
      await left.opened;
      expect(await head()).toBeNull();
      for (let line = 0; line < 2000; line += 1) progress.detail(`line ${line} ${'x'.repeat(200)}`);
      await sleep(300);
      aborted = signal.aborted;
    };
    const push = startPush();
    await started.opened;
    push.kill();
    await push.ended;
    await sleep(300);
    left.open();
    await until('the branch to move', async () => (await head()) !== null);
    await expectClean();
    expect(aborted).toBe(false);
    expect(harness.deployBranches.get(app)).toBe('main');
  });

  it('during a deploy that fails moves nothing, and leaves nothing', async () => {
    const [started, left] = [latch(), latch()];
    harness.deploy = async () => {
      started.open();
      await left.opened;
      throw new WherryError('build-failed', 'The build failed.');
    };
    const push = startPush();
    await started.opened;
    push.kill();
    await push.ended;
    await sleep(300);
    left.open();
    await expectClean();
    expect(await head()).toBeNull();
    expect(harness.objects(app)).toBe(0);
  });

  it('while it waits for its turn is not deployed; one that pushes the same again is told that it is done', async () => {
    const [started, go] = [latch(), latch()];
    harness.deploy = async () => {
      started.open();
      await go.opened;
    };
    const before = harness.deployed.length;
    const first = startPush();
    await started.opened;
    first.kill();
    await first.ended;
    const [same, other] = [repository.push(), startPush()];
    // Three each; git may have ended one of those whose client is gone.
    await until('both to wait', () => harness.processes(app).length >= 8);
    other.kill();
    await other.ended;
    await sleep(200);
    go.open();
    const { code, output } = await same;
    expect(code).not.toBe(0);
    expect(output).toMatch(/Commit \w{7} was deployed by another push meanwhile, and branch main is there/);
    await expectClean();
    expect(harness.deployed.length - before).toBe(1);
  });

  it('in the middle of the pack leaves nothing', async () => {
    const client = spawn('ssh', [...harness.sshArgs(), `git-receive-pack '${app}'`], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await new Promise(resolve => client.stdout?.once('data', resolve));
    const line = `${'0'.repeat(40)} ${'a'.repeat(40)} refs/heads/main\0 report-status side-band-64k\n`;
    client.stdin?.write(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`);
    client.stdin?.write(
      Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\x03\xe8', 'latin1'), Buffer.from([0x95, 0x0a])]),
    );
    await until('git to take the pack', () => harness.processes(app).length > 1);
    client.kill('SIGKILL');
    await expectClean();
    expect(harness.objects(app)).toBe(0);
  });

  it('at any other moment leaves nothing, and the next push works', async () => {
    for (let ms = 2; ms < 120; ms += 5) {
      repository.write({ 'index.html': `version ${ms}` });
      await repository.commit(`Version ${ms}`);
      const push = startPush();
      await sleep(ms);
      push.kill();
      await push.ended;
    }
    await sleep(100);
    await expectClean();
    repository.write({ 'index.html': 'last' });
    await repository.commit('Last');
    const push = await repository.push();
    expect(push.code, push.output).toBe(0);
    expect(harness.leftovers(app)).toEqual([]);
  });
});

describe('a hook that dies', () => {
  it('ends the deploy and the push', async () => {
    const started = latch();
    const aborted = latch();
    harness.deploy = async (_push, _source, { signal }) => {
      started.open();
      await new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open();
          reject(signal.reason);
        });
      });
    };
    const push = repository.push();
    await started.opened;
    for (const pid of harness.processes(app)) {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      if (/pre-receive|^cat/.test(command)) process.kill(pid, 'SIGKILL');
    }
    const { code } = await push;
    expect(code).not.toBe(0);
    await aborted.opened;
    await expectClean();
    expect(await head()).toBeNull();
  });
});

describe('a receiver that stops', () => {
  it('ends pushes under way with a sentence, and takes none after', async () => {
    const own = await startHarness();
    const started = latch();
    own.deploy = async (_push, _source, { signal }) => {
      started.open();
      await new Promise<void>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
    };
    const copy = await own.repository('stopping');
    const pushing = copy.push();
    await started.opened;
    await own.receiver.close();
    const push = await pushing;
    expect(push.code).toBe(1);
    expect(push.output).toContain('Wherry is stopping');
    const late = await copy.push();
    expect(late.output).toContain('Wherry is starting and takes no pushes yet');
    await own.end();
  });

  it('by a crash is cleaned up after at the next start', async () => {
    await repository.push();
    const repo = join(harness.data, `repos/${app}.git`);
    mkdirSync(join(repo, 'objects/tmp_objdir-incoming-abc'));
    mkdirSync(join(harness.data, 'repos/.new-1'));
    mkdirSync(join(harness.data, 'builds/.incoming/old'));
    for (const name of ['refs/heads/main.lock', 'HEAD.lock', 'packed-refs.lock', 'objects/pack/tmp_pack_x']) {
      writeFileSync(join(repo, name), '');
    }
    const stuck = spawn('setpriv', ['--reuid=wherry-git', '--clear-groups', 'sleep', '60'], {
      cwd: repo,
      stdio: 'ignore',
    });
    await until('the stray process', () => harness.processes(app).length === 1);
    await sleep(200);
    const paths = createPaths({ data: harness.data });
    const handler = {
      admit: async () => {},
      deployBranch: () => null,
      setDeployBranch: () => {},
      deploy: async () => {},
    };
    const next = createReceiver({ paths, handler, locks: createLocks(), log: silentLog, clock: systemClock });
    await next.open();
    expect(harness.leftovers(app)).toEqual([]);
    expect(harness.processes(app)).toEqual([]);
    expect(readdirSync(join(harness.data, 'repos')).filter(name => name.startsWith('.new'))).toEqual([]);
    expect(readdirSync(join(harness.data, 'builds/.incoming'))).toEqual([]);
    await next.close();
    stuck.kill('SIGKILL');
    repository.write({ 'index.html': 'after' });
    await repository.commit('After');
    const push = await repository.push();
    expect(push.code, push.output).toBe(0);
  });
});
