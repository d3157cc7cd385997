import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppName, parseAppName } from '../../src/domain/names.ts';
import { createReceiver } from '../../src/receive/index.ts';
import type { Offer, Offers } from '../../src/receive/offers.ts';
import { systemClock } from '../../src/system/clock.ts';
import { createLocks } from '../../src/system/locks.ts';
import { silentLog } from '../../src/system/log.ts';
import { createPaths } from '../../src/system/paths.ts';
import { writeFiles } from '../build/support/buildpack-host.ts';
import { must } from '../support/run.ts';

const { signal } = new AbortController();
const handler = {
  admit: async () => {},
  deployBranch: () => null,
  setDeployBranch: () => {},
  deploy: async () => {},
};

let root: string;
let offers: Offers;
let receiver: ReturnType<typeof createReceiver>;
let folders = 0;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-offers-'));
  chmodSync(root, 0o711);
  receiver = newReceiver();
  await receiver.open();
  offers = receiver.offers();
});
afterAll(async () => {
  await receiver.close();
  rmSync(root, { recursive: true, force: true });
});

const paths = () => createPaths({ data: join(root, 'data'), cache: join(root, 'cache') });
const newReceiver = () =>
  createReceiver({ paths: paths(), handler, locks: createLocks(), log: silentLog, clock: systemClock });
const repo = (app: AppName) => join(root, 'data/repos', `${app}.git`);
const quarantines = (app: AppName) =>
  readdirSync(join(repo(app), 'objects')).filter(name => /^offer-/.test(name));
const git = async (app: AppName, ...args: string[]) =>
  (await must('git', ['-c', 'safe.directory=*', ...args], { cwd: repo(app) })).trim();

function folder(files: Readonly<Record<string, string>>): string {
  folders += 1;
  const dir = join(root, `files-${folders}`);
  mkdirSync(dir);
  writeFiles(dir, files);
  return dir;
}

const offer = async (
  app: AppName,
  dir: string,
  more: { message?: string; author?: string } = {},
): Promise<Offer> =>
  await offers.commit(app, {
    branch: 'main',
    dir,
    message: more.message ?? 'Files of an archive',
    author: { name: more.author ?? 'Ann', email: 'ann@example.org' },
    signal,
  });

describe('a commit of files', () => {
  it('holds them as they are, and is seen by nobody before it is accepted', async () => {
    const app = parseAppName('held');
    const dir = folder({
      'bin/run': '#!/bin/sh',
      'page.html': 'hello',
      'a "b"\\ü.txt': 'x',
      '.gitignore': '*',
      '.gitattributes': '* text eol=crlf ident',
      'big.txt': 'line\n'.repeat(100_000),
      empty: '',
    });
    symlinkSync('page.html', join(dir, 'link'));
    const made = await offer(app, dir);
    expect(made).toMatchObject({ branch: 'main', from: null, unchanged: false });
    expect(await git(app, 'for-each-ref')).toBe('');
    await expect(git(app, 'cat-file', '-t', made.commit)).rejects.toThrow();

    const source = await offers.checkout(made, signal);
    expect(source).toMatchObject({ commit: made.commit, subject: 'Files of an archive' });
    for (const name of [
      'bin/run',
      'page.html',
      'a "b"\\ü.txt',
      '.gitignore',
      '.gitattributes',
      'big.txt',
      'link',
    ])
      expect(readFileSync(join(source.dir, name), 'utf8'), name).toBe(readFileSync(join(dir, name), 'utf8'));
    rmSync(source.dir, { recursive: true });

    await offers.accept(made);
    await offers.drop(made);
    expect(await git(app, 'rev-parse', 'main')).toBe(made.commit);
    expect(await git(app, 'ls-tree', '-r', 'main')).toMatch(
      /100755 blob \w+\tbin\/run\n[\s\S]*120000 blob \w+\tlink/,
    );
    expect(await git(app, 'log', '-1', '--format=%an <%ae>')).toBe('Ann <ann@example.org>');
    await git(app, 'fsck', '--strict');
    expect(quarantines(app)).toEqual([]);
  });

  it('is in a copy of the repository for another app, which goes its own way', async () => {
    const [app, copy] = [parseAppName('copied'), parseAppName('copy')];
    const first = await offer(app, folder({ 'page.html': '1' }));
    await offers.accept(first);
    await receiver.copy(app, copy);
    await offers.accept(await offer(copy, folder({ 'page.html': '2' })));
    expect(await receiver.head(app, 'main')).toBe(first.commit);
    expect(await git(copy, 'rev-parse', 'main~1')).toBe(first.commit);
    await receiver.copy(parseAppName('nobody'), parseAppName('nothing'));
    expect(await receiver.head(parseAppName('nothing'), 'main')).toBeNull();
  });

  it('takes the place of all that the branch held, on top of it', async () => {
    const app = parseAppName('next');
    const first = await offer(app, folder({ 'a.txt': '1', 'b.txt': '1' }));
    await offers.accept(first);
    await offers.drop(first);
    const same = await offer(app, folder({ 'b.txt': '1', 'a.txt': '1' }));
    expect(same).toMatchObject({ from: first.commit, unchanged: true });
    await offers.drop(same);
    const second = await offer(app, folder({ 'a.txt': '2' }));
    expect(second).toMatchObject({ from: first.commit, unchanged: false });
    await offers.accept(second);
    await offers.drop(second);
    expect(await git(app, 'ls-tree', '--name-only', 'main')).toBe('a.txt');
    expect(await git(app, 'rev-parse', 'main^')).toBe(first.commit);
  });

  it('that is dropped leaves nothing, and one that a crash left goes at the next start', async () => {
    const app = parseAppName('gone');
    await offers.drop(await offer(app, folder({ 'a.txt': '1' })));
    expect(quarantines(app)).toEqual([]);
    await offer(app, folder({ 'a.txt': '1' }));
    expect(quarantines(app)).toHaveLength(1);
    const next = newReceiver();
    await next.open();
    await next.close();
    expect(quarantines(app)).toEqual([]);
    expect(await git(app, 'count-objects', '-v')).toMatch(/count: 0\n[\s\S]*packs: 0/);
  });

  it('cannot be moved to when the branch has moved meanwhile', async () => {
    const app = parseAppName('moved');
    const [one, two] = [await offer(app, folder({ a: '1' })), await offer(app, folder({ a: '2' }))];
    await offers.accept(one);
    await expect(offers.accept(two)).rejects.toMatchObject({ code: 'conflict' });
    expect(await git(app, 'rev-parse', 'main')).toBe(one.commit);
  });

  it("has nothing of an author's name that is no name", async () => {
    const app = parseAppName('names');
    const made = await offer(app, folder({ a: '1' }), {
      author: 'Ann <x>\ncommitter Eve\0',
      message: 'from deleteall\n',
    });
    await offers.accept(made);
    expect(await git(app, 'log', '-1', '--format=%an|%cn|%B')).toBe(
      'Ann xcommitter Eve|Ann xcommitter Eve|from deleteall',
    );
  });

  it.each([
    ['nothing', {}, /There are no files to deploy/],
    ["git's own folder", { '.git/config': '[core]' }, /git's own folder/],
    ['another spelling of it', { 'a/.GIT/x': '' }, /git's own folder/],
  ])('of %s is refused and leaves nothing', async (_, files, why) => {
    const app = parseAppName('refused');
    await expect(offer(app, folder(files))).rejects.toThrow(why);
    expect(quarantines(app)).toEqual([]);
    expect(readdirSync(repo(app)).filter(name => name.startsWith('fast_import'))).toEqual([]);
  });
});

describe('a repository', () => {
  it('is packed on demand, and keeps its commits', async () => {
    const app = parseAppName('packed');
    for (const text of ['one', 'two', 'three']) {
      const made = await offer(app, folder({ 'page.html': text }), { message: text });
      await offers.accept(made);
      await offers.drop(made);
    }
    const packs = () => readdirSync(join(repo(app), 'objects/pack')).filter(name => name.endsWith('.pack'));
    expect(packs().length).toBeGreaterThan(1);
    await receiver.pack(app, signal);
    expect(packs()).toHaveLength(1);
    expect(await git(app, 'log', '--format=%s', 'main')).toBe('three\ntwo\none');
    await receiver.pack(parseAppName('nothing-there'), signal);
    await expect(receiver.pack(app, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });
});
