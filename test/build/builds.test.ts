import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Builds, createBuilds, type Watched } from '../../src/build/builds.ts';
import type { App } from '../../src/domain/app.ts';
import { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import type { Actor, Progress } from '../../src/domain/push.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { systemClock as clock } from '../../src/system/clock.ts';

const quiet: Progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };
const ann: Actor = { name: 'ann', via: 'ssh' };
const never = new AbortController().signal;

let store: Store;
let app: App;
let builds: Builds;
let dir: string;
let config: Record<string, string>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-builds-'));
  config = {};
  store = openStore(':memory:', createSeal(randomBytes(32)));
  app = store.apps.create(parseAppName('blog'), clock.now());
  builds = createBuilds({ store, paths: { buildLogs: dir, builds: dir }, clock });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const record = (work: (watched: Watched) => Promise<{ version: number }>, signal?: AbortSignal) =>
  builds.record({ app, kind: 'build', commit: null, config, actor: ann, progress: quiet, signal }, work);
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
const log = (number: number) => readFileSync(join(dir, 'blog', `${number}.log`), 'utf8');

async function collected(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

describe('a build', () => {
  it('is recorded with its release, its output logged as a push shows it', async () => {
    await record(async ({ progress }) => {
      progress.step('One\ntwo');
      progress.raw('three');
      return { version: 4 };
    });
    expect(store.builds.list(app)).toMatchObject([
      { number: 1, status: 'succeeded', release: 4, actor: 'ann', kind: 'build' },
    ]);
    expect(log(1)).toBe('-----> One\n-----> two\nthree\n');
  });

  it('keeps secrets from the log and from its own failure, but not from the URLs', async () => {
    config = { KEY: 'blog.example.org' };
    const failed = record(async ({ progress, plain }) => {
      progress.raw('at blog.example.org');
      plain.detail('http://blog.example.org');
      throw new WherryError('build-failed', 'No blog.example.org', { hint: 'see blog.example.org' });
    });
    await expect(failed).rejects.toMatchObject({ message: 'No [masked]', hint: 'see [masked]' });
    expect(log(1)).toBe('at [masked]\n       http://blog.example.org\n');
    expect(store.builds.get(app, 1)).toMatchObject({ status: 'failed', reason: 'No [masked]' });
  });

  it('writes no more than a mebibyte, and says so', async () => {
    await record(async ({ progress }) => {
      for (let at = 0; at < 1200; at += 1) progress.raw('x'.repeat(1023));
      return { version: 1 };
    });
    expect(log(1).length).toBeLessThan(2 ** 20 + 100);
    expect(log(1).trim().split('\n').at(-1)).toMatch(/The log of this build ends here/);
  });

  it('goes with its log when there are twenty newer ones', async () => {
    for (let at = 1; at <= 22; at += 1) await record(async () => ({ version: at }));
    expect(store.builds.list(app)).toHaveLength(20);
    expect(readdirSync(join(dir, 'blog'))).toHaveLength(20);
    expect(readdirSync(join(dir, 'blog'))).not.toContain('2.log');
    builds.prune(app, 1);
    expect(readdirSync(join(dir, 'blog'))).toEqual(['22.log']);
    builds.forget(app);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('canceling', () => {
  it('stops what runs, waits for its end, and tells whoever waited for it', async () => {
    let cleaned = false;
    const running = record(async ({ signal }) => {
      await untilAborted(signal).finally(async () => {
        await clock.sleep(20);
        cleaned = true;
      });
      return { version: 1 };
    });
    const told = expect(running).rejects.toMatchObject({
      code: 'interrupted',
      message: 'Build 1 of blog was canceled by bob. What ran before runs on.',
    });
    expect(await builds.cancel(app, { name: 'bob', via: 'ssh' })).toMatchObject({ status: 'canceled' });
    expect(cleaned).toBe(true);
    await told;
    await expect(builds.cancel(app, ann)).rejects.toThrow('No build of app blog is running');
  });

  it('is told apart from a client that left', async () => {
    const client = new AbortController();
    const running = record(async ({ signal }) => untilAborted(signal), client.signal);
    client.abort();
    await expect(running).rejects.toThrow('stopped');
    expect(store.builds.get(app, 1).status).toBe('failed');
  });
});

describe('output', () => {
  it('is followed to the end from the beginning, by any number, and again after a lost connection', async () => {
    let release = () => {};
    const gate = new Promise<void>(done => {
      release = done;
    });
    const running = record(async ({ progress }) => {
      progress.raw('first');
      await gate;
      progress.raw('last');
      return { version: 1 };
    });
    const lost = new AbortController();
    const first = collected(builds.output(app, 'current', lost.signal));
    await clock.sleep(30);
    lost.abort();
    expect(await first).toEqual(['first']);
    const again = [collected(builds.output(app, 'current', never)), collected(builds.output(app, 1, never))];
    release();
    await running;
    expect(await Promise.all(again)).toEqual([
      ['first', 'last'],
      ['first', 'last'],
    ]);
  });

  it('of a build that is not known is refused', () => {
    expect(() => builds.output(app, 'current', never)).toThrow(/has no builds yet/);
    expect(() => builds.output(app, 3, never)).toThrow(/Build 3 of app blog does not exist/);
  });
});
