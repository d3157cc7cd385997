import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { spawn } from '../../src/system/exec.ts';
import { type Harness, latch, startHarness } from './harness.ts';

let harness: Harness;
let count = 0;
let app = '';

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.end());
beforeEach(() => {
  count += 1;
  app = `app${count}`;
  harness.deploy = () => {};
  harness.admit = async () => {};
});

const head = (branch = 'main') => harness.receiver.head(parseAppName(app), branch);

describe('a push to the deploy branch', () => {
  it("shows the deploy's lines as they come, before the deploy ends", async () => {
    const repository = await harness.repository(app);
    const seen = latch();
    harness.deploy = async (_push, _source, { progress }) => {
      progress.step('Building');
      progress.detail('a detail');
      await seen.opened;
      progress.header('Application deployed:');
    };
    const push = spawn('git', ['push', 'wherry', 'main'], {
      cwd: repository.dir,
      env: { PATH: process.env['PATH'], ...harness.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    // The deploy ends only when the client has shown its line.
    push.stderr?.on('data', chunk => {
      output += String(chunk);
      if (output.includes('a detail')) seen.open();
    });
    await new Promise(resolve => push.once('close', resolve));
    expect(push.exitCode, output).toBe(0);
    const lines = output.split('\n').map(line => line.trimEnd());
    expect(lines).toContain('remote: -----> Set main as deploy-branch');
    expect(lines).toContain('remote: -----> Building');
    expect(lines).toContain('remote:        a detail');
    expect(lines).toContain('remote: =====> Application deployed:');
    expect(harness.deployBranches.get(app)).toBe('main');
  });

  it('hands on that it is to be explained, and warns of options that nobody knows', async () => {
    const repository = await harness.repository(app);
    const plain = await repository.git('push', 'wherry', 'main');
    expect(harness.deployed.at(-1)).toMatchObject({ explain: false });
    expect(plain.output).not.toContain('push option');
    await repository.git('commit', '-q', '--allow-empty', '-m', 'Again');
    const { output } = await repository.git('push', '-o', 'explain', '-o', 'ci.skip', 'wherry', 'main');
    expect(harness.deployed.at(-1)).toMatchObject({ app, explain: true });
    expect(output).toContain('Of push options only explain is known');
  });

  it('gives the handler the tree as committed, with the commit and its subject', async () => {
    const repository = await harness.repository(app, {
      'a.txt': 'A',
      'dir/deep/b.txt': 'B',
      'run.sh': '#!/bin/sh\n',
      '.gitattributes': '*.txt export-ignore export-subst text eol=crlf\n',
      big: 'x'.repeat(300_000),
      empty: '',
      'sp ace/ü$(id)': 'C',
    });
    await repository.git('update-index', '--chmod=+x', 'run.sh');
    await repository.git('commit', '-qm', 'Subject line\u001b[31m\n\nBody');
    let listed: string[] = [];
    let source: { commit: string; subject: string; dir: string } | undefined;
    const content = new Map<string, string>();
    harness.deploy = (_push, given) => {
      source = given;
      listed = readdirSync(given.dir, { recursive: true }).map(String).sort();
      for (const name of listed) {
        const path = join(given.dir, name);
        if (lstatSync(path).isFile()) content.set(name, readFileSync(path, 'utf8'));
      }
      expect(statSync(join(given.dir, 'run.sh')).mode & 0o7777).toBe(0o755);
      expect(statSync(join(given.dir, 'a.txt')).mode & 0o7777).toBe(0o644);
      expect(statSync(join(given.dir, 'dir')).mode & 0o7777).toBe(0o755);
    };
    const push = await repository.push();
    expect(push.code, push.output).toBe(0);
    expect(listed).toEqual(
      [
        '.gitattributes',
        'a.txt',
        'big',
        'dir',
        'dir/deep',
        'dir/deep/b.txt',
        'empty',
        'run.sh',
        'sp ace',
        'sp ace/ü$(id)',
      ].sort(),
    );
    expect(content.get('a.txt')).toBe('A');
    expect(content.get('big')).toHaveLength(300_000);
    expect(source?.subject).toBe('Subject line[31m');
    expect(source?.commit).toBe((await repository.git('rev-parse', 'HEAD')).stdout.trim());
    expect(await head()).toBe(source?.commit);
  });

  it('that fails is refused with the sentence and the hint, and its objects are gone', async () => {
    const repository = await harness.repository(app);
    expect((await repository.push()).code).toBe(0);
    const [before, objects] = [await head(), harness.objects(app)];
    repository.write({ 'index.html': 'broken' });
    await repository.commit('Break it');
    let dir = '';
    harness.deploy = (_push, source) => {
      dir = source.dir;
      throw new WherryError('build-failed', 'App build failed', { hint: 'Look above.' });
    };
    const push = await repository.push();
    expect(push.code).toBe(1);
    expect(push.output).toContain('remote:  !     App build failed');
    expect(push.output).toContain('remote:  !     Look above.');
    expect(push.output).toContain('[remote rejected] main -> main (pre-receive hook declined)');
    expect(await head()).toBe(before);
    expect(harness.objects(app)).toBe(objects);
    expect(harness.leftovers(app)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
  });

  it('that fails at first leaves the deploy branch open', async () => {
    const repository = await harness.repository(app);
    harness.deploy = () => {
      throw new WherryError('build-failed', 'App build failed');
    };
    expect((await repository.push()).code).toBe(1);
    expect(harness.deployBranches.has(app)).toBe(false);
    harness.deploy = () => {};
    expect((await repository.push('wherry', 'main:master')).code).toBe(0);
    expect(harness.deployBranches.get(app)).toBe('master');
  });

  it('that meets a fault of our own says so without its detail', async () => {
    const repository = await harness.repository(app);
    harness.deploy = () => {
      throw new Error('internal detail');
    };
    const push = await repository.push();
    expect(push.code).toBe(1);
    expect(push.output).not.toContain('internal detail');
    expect(push.output).toContain('fault of its own');
  });

  it('may be forced', async () => {
    const repository = await harness.repository(app);
    await repository.push();
    await repository.git('commit', '--amend', '-qm', 'Another history');
    expect((await repository.push()).output).toContain('non-fast-forward');
    const push = await repository.push('--force', 'wherry', 'main');
    expect(push.code, push.output).toBe(0);
    expect(await head()).toBe((await repository.git('rev-parse', 'HEAD')).stdout.trim());
  });

  it('from a shallow clone is taken, and later ones from a full copy too', async () => {
    const repository = await harness.repository(app);
    for (const text of ['2', '3']) {
      repository.write({ 'index.html': text });
      await repository.commit(text);
    }
    const shallow = await harness.repository(app);
    await shallow.git('fetch', '-q', '--depth=1', `file://${repository.dir}`, 'main');
    const push = await shallow.push('wherry', 'FETCH_HEAD:refs/heads/main');
    expect(push.code, push.output).toBe(0);
    repository.write({ 'index.html': '4' });
    await repository.commit('4');
    const again = await repository.push();
    expect(again.code, again.output).toBe(0);
  });
});

describe('a push of something else', () => {
  it('as a tag alone is refused, with what to push instead', async () => {
    const repository = await harness.repository(app);
    await repository.git('tag', 'v1');
    const before = harness.deployed.length;
    const push = await repository.push('wherry', 'v1');
    expect(push.code, push.output).toBe(1);
    expect(push.output).toContain('Tags alone deploy nothing');
    expect(harness.deployed).toHaveLength(before);
    expect(harness.deployBranches.has(app)).toBe(false);
  });

  it('as another branch is stored with the way to deploy it', async () => {
    const repository = await harness.repository(app);
    await repository.push();
    const push = await repository.push('wherry', 'main:feature');
    expect(push.code).toBe(0);
    expect(push.output).toContain('you must push to main');
    expect(harness.deployed.filter(entry => entry.app === app)).toHaveLength(1);
  });

  it('deleting the deploy branch is refused, another branch goes', async () => {
    const repository = await harness.repository(app);
    await repository.push('wherry', 'main:trunk');
    await repository.push('wherry', 'main:feature');
    const push = await repository.push('wherry', ':trunk');
    expect(push.code).toBe(1);
    expect(push.output).toContain('cannot be deleted');
    expect(await head('trunk')).not.toBeNull();
    expect((await repository.push('wherry', ':feature')).code).toBe(0);
    expect(await head('feature')).toBeNull();
  });

  it('as more than a hundred refs, or notes, is refused whole', async () => {
    const repository = await harness.repository(app);
    for (let index = 0; index < 120; index += 1) await repository.git('tag', `t${index}`);
    const many = await repository.push('wherry', '--tags');
    expect(many.code).toBe(1);
    expect(many.output).toContain('120 refs');
    const notes = await repository.push('wherry', 'main:refs/notes/x');
    expect(notes.code).toBe(1);
    expect(notes.output).toContain('is not taken');
    expect(await repository.git('ls-remote', 'wherry').then(result => result.stdout)).toBe('');
  });

  it('to an app that is not admitted is refused before any object is taken', async () => {
    harness.admit = async name => {
      throw new WherryError('access-denied', `App ${name} does not exist. Create it first with apps:create.`);
    };
    const repository = await harness.repository(app);
    const push = await repository.push();
    expect(push.code).toBe(128);
    expect(push.stderr).toContain(` !     App ${app} does not exist. Create it first`);
    expect(existsSync(join(harness.data, 'repos', `${app}.git`))).toBe(false);
  });

  it.each(['../x', 'UPPER', ';id', '$(id)', 'a b', '', 'x'.repeat(300), 'а-cyrillic', 'a/b', '..'])(
    'to a repository named %j is refused in a sentence',
    async name => {
      const repository = await harness.repository(app);
      const push = await repository.push(`ssh://wherry@127.0.0.1/${name.replaceAll(' ', '%20')}`, 'main');
      expect(push.code).not.toBe(0);
      const direct = await harness.ssh([`git-receive-pack '${name}'`]);
      expect(direct.code).not.toBe(0);
      expect(direct.stderr.trim().split('\n')).toHaveLength(1);
      expect(direct.stderr).toMatch(/app name/i);
    },
  );
});

describe('two pushes at once', () => {
  it('to one app take turns, and the second is refused before its deploy when the branch moved', async () => {
    const one = await harness.repository(app);
    const two = await harness.repository(app, { 'index.html': 'other' });
    const started = latch();
    const go = latch();
    const commits: string[] = [];
    harness.deploy = async push => {
      commits.push(push.commit);
      started.open();
      await go.opened;
    };
    const first = one.push();
    await started.opened;
    const second = two.push();
    setTimeout(go.open, 700);
    const [a, b] = await Promise.all([first, second]);
    expect(a.code, a.output).toBe(0);
    expect(b.code).toBe(1);
    expect(b.output).toContain('Waiting for the deploy of');
    expect(b.output).toContain('moved to');
    expect(commits).toHaveLength(1);
    expect(await head()).toBe(commits[0]);
    expect(harness.leftovers(app)).toEqual([]);
  });

  it('to two apps do not wait for each other', async () => {
    const go = latch();
    let running = 0;
    harness.deploy = async () => {
      running += 1;
      if (running === 2) go.open();
      await go.opened;
    };
    const one = await harness.repository(app);
    const two = await harness.repository(`${app}b`);
    const [a, b] = await Promise.all([one.push(), two.push()]);
    expect([a.code, b.code]).toEqual([0, 0]);
  });
});

describe('the way back', () => {
  it('by clone checks out the deploy branch', async () => {
    const repository = await harness.repository(app);
    await repository.push('wherry', 'main:trunk');
    const clone = await repository.git(
      '-c',
      'protocol.version=2',
      'clone',
      '-q',
      `wherry@127.0.0.1:${app}`,
      '../clone',
    );
    expect(clone.code, clone.output).toBe(0);
    expect(readFileSync(join(repository.dir, '../clone/index.html'), 'utf8')).toBe('hello\n');
  });

  it('from an app that does not exist says so, with exit status 20', async () => {
    const direct = await harness.ssh([`git-upload-pack '${app}'`]);
    expect(direct.code).toBe(20);
    expect(direct.stderr).toBe(` !     App ${app} does not exist\n`);
  });

  it('by checkout gives an accepted commit again, and refuses what is none', async () => {
    const repository = await harness.repository(app, { a: '1', 'd/b': '2' });
    await repository.git(
      'update-index',
      '--add',
      '--cacheinfo',
      `120000,${await blob(repository, 'd/b')},link`,
    );
    await repository.git('commit', '-qm', 'With a link');
    await repository.push();
    const name = parseAppName(app);
    const commit = (await head()) ?? '';
    const source = await harness.receiver.checkout(name, commit);
    expect(readFileSync(join(source.dir, 'd/b'), 'utf8')).toBe('2');
    expect(readlinkSync(join(source.dir, 'link'))).toBe('d/b');
    expect(source.subject).toBe('With a link');
    await expect(harness.receiver.checkout(name, 'f'.repeat(40))).rejects.toThrow(/not in the repository/);
    expect(() => harness.receiver.checkout(name, 'HEAD')).toThrow(/40 hex/);
    await harness.receiver.remove(name);
    expect(existsSync(join(harness.data, 'repos', `${app}.git`))).toBe(false);
  });
});

async function blob(
  repository: {
    git(...args: string[]): Promise<{ stdout: string }>;
    write(files: Record<string, string>): void;
  },
  text: string,
) {
  repository.write({ '.git/blob': text });
  return (await repository.git('hash-object', '-w', '.git/blob')).stdout.trim();
}
