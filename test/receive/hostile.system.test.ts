import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import type { Source } from '../../src/domain/push.ts';
import { checkoutTree } from '../../src/receive/checkout.ts';
import { readCommit } from '../../src/receive/commit.ts';
import { createGit } from '../../src/receive/git.ts';
import { ObjectReader } from '../../src/receive/objects.ts';
import { createPaths } from '../../src/system/paths.ts';
import { ensureSystemUser } from '../../src/system/system-user.ts';
import type { Repository } from '../support/git.ts';
import { run } from '../support/run.ts';
import { type Harness, startHarness } from './harness.ts';

let harness: Harness;
let count = 0;
let app = '';
let repository: Repository;
let listed: string[] | undefined;
let told: Source['submodules'];

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.end());
beforeEach(async () => {
  count += 1;
  app = `hostile${count}`;
  repository = await harness.repository(app);
  listed = undefined;
  harness.deploy = (_push, source) => {
    told = source.submodules;
    listed = readdirSync(source.dir, { recursive: true }).map(String).sort();
  };
});

async function hash(text: string): Promise<string> {
  const result = await run('git', ['hash-object', '-w', '--stdin'], { cwd: repository.dir, input: text });
  return result.stdout.trim();
}

/** Pushes a commit of exactly these tree entries, as no well-meaning git would make them. */
async function pushTree(entries: readonly string[]) {
  const tree = await run('git', ['mktree', '--missing'], {
    cwd: repository.dir,
    input: `${entries.join('\n')}\n`,
  });
  expect(tree.code, tree.output).toBe(0);
  return pushCommitOf(tree.stdout.trim());
}

async function pushCommitOf(tree: string) {
  const commit = (await repository.git('commit-tree', '-m', 'hostile', tree)).stdout.trim();
  return repository.push('wherry', `${commit}:refs/heads/main`);
}

function expectNothingKept() {
  expect(listed).toBeUndefined();
  expect(harness.objects(app)).toBe(0);
  expect(harness.leftovers(app)).toEqual([]);
  expect(readdirSync(join(harness.data, 'builds/.incoming'))).toEqual([]);
}

describe('a symbolic link out of the repository', () => {
  it.each(['/etc/passwd', '../secret', '../../../../etc/shadow', './..', 'x/../../y'])(
    'to %s is refused',
    async target => {
      const push = await pushTree([`120000 blob ${await hash(target)}\tleak`]);
      expect(push.code).toBe(1);
      expect(push.output).toContain('Symbolic link "leak" points out of the repository');
      expectNothingKept();
    },
  );

  it('over another link is refused', async () => {
    const here = await run('git', ['mktree'], {
      cwd: repository.dir,
      input: `120000 blob ${await hash('.')}\there\n`,
    });
    const push = await pushTree([
      `040000 tree ${here.stdout.trim()}\td`,
      `120000 blob ${await hash('d/here/../../etc')}\tleak`,
    ]);
    expect(push.output).toContain('Symbolic link "leak" points out of the repository');
    expectNothingKept();
  });

  it('with an endless or empty target is refused', async () => {
    const long = await pushTree([`120000 blob ${await hash('x'.repeat(5000))}\tlong`]);
    expect(long.code).toBe(1);
    const empty = await pushTree([`120000 blob ${await hash('')}\tempty`]);
    expect(empty.code).toBe(1);
    expectNothingKept();
  });
});

describe('a tree with a hostile name', () => {
  it.each(['.git', '.GIT', '..', '.', '.git ', 'git~1'])('%j is refused, by git or by us', async name => {
    const inner = await run('git', ['mktree'], {
      cwd: repository.dir,
      input: `100644 blob ${await hash('x')}\tconfig\n`,
    });
    const push = await pushTree([`040000 tree ${inner.stdout.trim()}\t${name}`]);
    expect(push.code).toBe(1);
    expect(push.output).toMatch(/rejected/);
    expectNothingKept();
  });

  it('holding a slash or the same name twice is refused', async () => {
    const blob = Buffer.from(await hash('x'), 'hex');
    for (const names of [['../../evil'], ['a/b'], ['same', 'same']]) {
      const body = Buffer.concat(names.flatMap(name => [Buffer.from(`100644 ${name}\0`), blob]));
      const file = join(repository.dir, '.git/raw');
      writeFileSync(file, body);
      const tree = await repository.git('hash-object', '-w', '-t', 'tree', '--literally', '.git/raw');
      const push = await pushCommitOf(tree.stdout.trim());
      expect(push.code, names.join()).toBe(1);
      expectNothingKept();
    }
    expect(existsSync(join(harness.data, 'builds/evil'))).toBe(false);
  });
});

describe('submodules', () => {
  it('H14 are told to the builder as empty folders, and nothing is fetched', async () => {
    const push = await pushTree([
      `100644 blob ${await hash('[submodule "x"]\n\tpath = vendor\n\turl = https://example.org/x\n')}\t.gitmodules`,
      `160000 commit ${'1'.repeat(40)}\tvendor`,
    ]);
    expect(push.code, push.output).toBe(0);
    expect(told).toEqual([{ path: 'vendor', commit: '1'.repeat(40) }]);
    expect(listed).toEqual(['.gitmodules', 'vendor']);
  });

  it('with a name or address that runs programs are refused', async () => {
    const push = await pushTree([
      `100644 blob ${await hash('[submodule "../../x"]\n\tpath = vendor\n\turl = -u./payload\n')}\t.gitmodules`,
      `160000 commit ${'1'.repeat(40)}\tvendor`,
    ]);
    expect(push.code).toBe(1);
    expectNothingKept();
  });
});

describe('a repository that unpacks to more than it seems', () => {
  it('by nesting trees is refused before anything is written', async () => {
    let line = `100644 blob ${await hash('x')}\tf`;
    for (let level = 0; level < 8; level += 1) {
      const input = Array.from({ length: 20 }, (_, index) => line.replace(/\t.*/, `\t${index}`))
        .sort()
        .join('\n');
      const tree = await run('git', ['mktree'], { cwd: repository.dir, input: `${input}\n` });
      line = `040000 tree ${tree.stdout.trim()}\tx`;
    }
    const push = await pushTree([line]);
    expect(push.code).toBe(1);
    expect(push.output).toContain('more than 200000 files');
    expectNothingKept();
  });

  it('by its size is refused before the file that is too much', async () => {
    await pushTree([
      `100644 blob ${await hash('x'.repeat(600))}\ta`,
      `100644 blob ${await hash('y'.repeat(600))}\tb`,
    ]);
    const paths = createPaths({ data: harness.data });
    const git = createGit({ paths, user: await ensureSystemUser('wherry-git') });
    const objects = new ObjectReader(git, { repo: join(paths.repos, `${app}.git`) });
    const dir = mkdtempSync(join(tmpdir(), 'wherry-size-'));
    try {
      const commit = (await harness.receiver.head(parseAppName(app), 'main')) ?? '';
      const { tree } = await readCommit(objects, commit);
      const limits = { bytes: 1000, entries: 10 };
      await expect(checkoutTree({ objects, tree, dir, limits })).rejects.toThrow(/take more than/);
      expect(readdirSync(dir)).toEqual(['a']);
    } finally {
      objects.close();
      rmSync(dir, { recursive: true });
    }
  });
});

describe('what a repository says about git', () => {
  it('in attributes, filters and hooks of its own has no effect on the host', async () => {
    const marker = join(harness.data, 'ran');
    repository.write({
      '.gitattributes': '* filter=evil diff=evil merge=evil export-subst\n',
      '.gitconfig': `[filter "evil"]\n\tsmudge = touch ${marker}\n`,
      'hooks/post-receive': `#!/bin/sh\ntouch ${marker}\n`,
      'objects/info/alternates': '/\n',
      'a.txt': '$Format:%H$\n',
    });
    await repository.commit('Attributes');
    const push = await repository.push();
    expect(push.code, push.output).toBe(0);
    expect(existsSync(marker)).toBe(false);
  });
});

describe("git's user", () => {
  it('owns the repository, and can change neither the hook nor what is beside it', async () => {
    await repository.push();
    const { uid } = await ensureSystemUser('wherry-git');
    const asGit = (...args: string[]) =>
      run('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...args], { cwd: '/' });
    const hook = join(harness.data, 'repos/.hooks/pre-receive');
    expect((await asGit('test', '-w', join(harness.data, `repos/${app}.git/HEAD`))).code).toBe(0);
    for (const path of [
      hook,
      join(harness.data, 'repos/.hooks'),
      join(harness.data, 'repos'),
      harness.data,
    ]) {
      expect((await asGit('test', '-w', path)).code, path).toBe(1);
    }
    expect((await asGit('ls', harness.data)).code).not.toBe(0);
    expect((await asGit('ls', join(harness.data, 'builds'))).code).not.toBe(0);
    expect((await asGit('ls', join(harness.data, 'host-keys'))).code).not.toBe(0);
  });
});
