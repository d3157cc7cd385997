import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/domain/app.ts';
import type { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import type { Actor } from '../../src/domain/push.ts';
import { until } from '../support/until.ts';
import { type Bench, createBench, into } from './support.ts';

const bob: Actor = { name: 'bob', via: 'ssh', fingerprint: 'SHA256:bob' };
const robot: Actor = { name: 'bob', via: 'api', token: 'ci', scope: { role: undefined, apps: undefined } };
const line = { at: new Date(0), dyno: 'web.1', text: 'hello' };

let bench: Bench;
let blog: App;
let out: string[];
let err: string[];
beforeEach(async () => {
  bench = createBench();
  blog = await bench.deployed('blog');
  await bench.deployed('shop');
  bench.store.people.ensure('bob', new Date());
  bench.store.people.grant('bob', 'deployer', blog);
  bench.store.keys.add({ name: 'bob', fingerprint: 'SHA256:bob', publicKey: 'x', createdAt: new Date() });
  addToken();
  bench.runtime.says.lines = [line as never];
  [out, err] = [[], []];
});

function addToken(createdAt = new Date(), expiresAt: Date | null = null) {
  const scope = { role: undefined, apps: undefined };
  bench.store.tokens.add(`${createdAt.getTime()}`, {
    user: 'bob',
    name: 'ci',
    ...scope,
    createdAt,
    expiresAt,
  });
}

/** Begins, and is the exit status once it ends. */
const begin = (words: string[], { actor = bob, signal = new AbortController().signal } = {}) =>
  bench.dispatch({
    ...{ words, actor, signal, stdin: Readable.from([]), stdout: into(out), stderr: into(err) },
  });

const sentence = (name: string) =>
  ` !     Access denied: the rights that ${name} began with were taken away, so it was ended.\n`;

describe('what goes on ends', () => {
  it.each([
    ['the role is revoked', () => void bench.store.people.revoke('bob', blog)],
    ['the key is removed', () => void bench.store.keys.remove('SHA256:bob')],
    ['the user is removed', () => void bench.store.people.remove('bob')],
  ])('when %s', async (_what, take) => {
    const going = begin(['logs', '-t', 'blog']);
    await until('its first line', () => out.length > 0);
    take();
    expect(await going).toBe(21);
    expect(err.join('')).toBe(sentence('logs'));
  });

  it.each([
    ['is revoked', () => void bench.store.tokens.remove('bob', 'ci')],
    [
      'is replaced by another of its name',
      () => {
        bench.store.tokens.remove('bob', 'ci');
        addToken(new Date(1));
      },
    ],
    [
      'expires',
      () => {
        const began = bench.store.tokens.of('bob')[0]?.createdAt;
        bench.store.tokens.remove('bob', 'ci');
        addToken(began, new Date(Date.now() - 1));
      },
    ],
  ])('over the API when the token %s', async (_what, take) => {
    const given: unknown[] = [];
    const progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };
    const going = bench.callJson({
      ...{ command: bench.registry.find('logs'), body: { app: 'blog', tail: true }, force: false },
      ...{ actor: robot, stdin: Readable.from([]), signal: new AbortController().signal },
      client: { progress, open() {}, give: async item => void given.push(item) },
    });
    const ended = going.catch((error: WherryError) => error.code);
    await until('its first line', () => given.length > 0);
    take();
    expect(await ended).toBe('access-denied');
  });

  it('when it runs in the app, and tells the audit', async () => {
    let began = false;
    bench.runtime.run = async (_desired, { signal }) => {
      began = true;
      await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      return 0;
    };
    const going = begin(['run', 'blog', 'sleep', '1000']);
    await until('it runs', () => began);
    bench.store.people.grant('bob', 'viewer', blog);
    expect(await going).toBe(21);
    expect(err.join('')).toBe(sentence('run'));
    expect(bench.store.audit.list('blog').at(-1)).toMatchObject({ command: 'run', result: 'access-denied' });
  });

  it('of all apps for those of which the role is gone, and goes on for the others', async () => {
    bench.store.people.grant('bob', 'viewer', bench.store.apps.get(parseAppName('shop')));
    const client = new AbortController();
    const going = begin(['events', '-t', '-n', '0'], { signal: client.signal });
    const add = (name: string) =>
      bench.store.events.add({ at: new Date(0), app: parseAppName(name), kind: 'deploy', message: 'x' });
    bench.store.people.revoke('bob', blog);
    await until('an event', () => {
      add('blog');
      add('shop');
      return out.length > 0;
    });
    client.abort();
    await going;
    expect(out.join('')).not.toContain('blog');
  });
});

describe('what goes on is left alone', () => {
  const lasts = async (actor: Actor, change: () => void) => {
    const client = new AbortController();
    const going = begin(['logs', '-t', 'blog'], { actor, signal: client.signal });
    await until('its first line', () => out.length > 0);
    change();
    // Several looks at the rights.
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(err).toEqual([]);
    client.abort();
    expect(await going).toBe(130);
  };

  it('by another role that is enough', () =>
    lasts(bob, () => bench.store.people.grant('bob', 'viewer', blog)));
  it('by another name of the app', () =>
    lasts(bob, () => bench.store.apps.rename(blog, parseAppName('journal'))));
  it('by what others lose', () =>
    lasts(bob, () => {
      bench.store.people.revoke('ann');
      bench.store.tokens.remove('bob', 'ci');
    }));
  it('at the host itself', () =>
    lasts({ name: 'local', via: 'local' }, () => bench.store.people.remove('bob')));
});
