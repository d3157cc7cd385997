import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { createGit } from '../../src/receive/git.ts';
import { createReceiver } from '../../src/receive/index.ts';
import { createMaintenance } from '../../src/receive/maintenance.ts';
import { systemClock } from '../../src/system/clock.ts';
import { createLocks } from '../../src/system/locks.ts';
import { silentLog } from '../../src/system/log.ts';
import { createPaths } from '../../src/system/paths.ts';
import { ensureSystemUser } from '../../src/system/system-user.ts';
import { must, run } from '../support/run.ts';
import { until } from '../support/until.ts';

const userName = 'wherry-git-test';
const app = parseAppName('blog');
let dir = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-home-'));
  chmodSync(dir, 0o711);
});
afterEach(async () => {
  // Git may still be putting its packs in order.
  rmSync(dir, { recursive: true, maxRetries: 10, retryDelay: 100 });
  await run('userdel', [userName]);
});

function makeReceiver() {
  const paths = createPaths({ data: join(dir, 'data') });
  const handler = {
    admit: async () => {},
    deployBranch: () => null,
    setDeployBranch: () => {},
    deploy: async () => {},
  };
  return {
    paths,
    receiver: createReceiver({
      paths,
      handler,
      locks: createLocks(),
      log: silentLog,
      clock: systemClock,
      userName,
    }),
  };
}

describe("the repositories' home", () => {
  it('makes its own unprivileged user once, and gives it the repositories', async () => {
    const { paths, receiver } = makeReceiver();
    await receiver.open();
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find(entry => entry.startsWith(`${userName}:`));
    expect(line).toContain('/usr/sbin/nologin');
    const user = await ensureSystemUser(userName);
    await Promise.all([receiver.ensure(app), receiver.ensure(app), receiver.ensure(app)]);
    const repo = join(paths.repos, 'blog.git');
    for (const name of ['.', ...readdirSync(repo, { recursive: true }).map(String)]) {
      expect(statSync(join(repo, name)).uid, name).toBe(user.uid);
    }
    expect(statSync(repo).mode & 0o777).toBe(0o700);
    expect(readdirSync(paths.repos).sort()).toEqual(['.home', '.hooks', 'blog.git']);
    await receiver.close();
    await receiver.open();
    expect(await receiver.head(app, 'main')).toBeNull();
    await receiver.close();
  });

  it('made by several daemons at once is made once', async () => {
    const users = await Promise.all([1, 2, 3].map(() => ensureSystemUser(userName)));
    expect(new Set(users.map(user => user.uid)).size).toBe(1);
  });

  it("behind a folder that keeps git's user out is refused at the start, with the remedy", async () => {
    chmodSync(dir, 0o700);
    const { receiver } = makeReceiver();
    await expect(receiver.open()).rejects.toThrow(/cannot reach .*chmod o\+x/);
  });

  it('before it is open takes no push', () => {
    const { receiver } = makeReceiver();
    expect(() => receiver.ensure(app)).toThrow(/is starting/);
  });

  it('packs a repository that pushes have scattered, and leaves one that is in order', async () => {
    const { paths, receiver } = makeReceiver();
    await receiver.open();
    await receiver.ensure(app);
    const user = await ensureSystemUser(userName);
    const git = createGit({ paths, user });
    const repo = join(paths.repos, 'blog.git');
    const asUser = {
      cwd: repo,
      ...user,
      env: {
        HOME: '/nonexistent',
        GIT_AUTHOR_NAME: 'a',
        GIT_AUTHOR_EMAIL: 'a@b',
        GIT_COMMITTER_NAME: 'a',
        GIT_COMMITTER_EMAIL: 'a@b',
      },
    };
    const tree = (await must('git', ['mktree'], asUser)).trim();
    const commit = (await must('git', ['commit-tree', '-m', 'x', tree], asUser)).trim();
    await must('git', ['update-ref', 'refs/heads/main', commit], asUser);
    const packs = () => readdirSync(join(repo, 'objects/pack')).filter(name => name.endsWith('.pack'));
    createMaintenance({ git, log: silentLog }).consider(repo);
    createMaintenance({ git, log: silentLog }, { loose: -1, packs: 50 }).consider(repo);
    await until('a pack', () => packs().length === 1);
    expect(await receiver.head(app, 'main')).toBe(commit);
    await receiver.close();
  });
});
