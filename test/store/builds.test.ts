import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/domain/app.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore, type Store } from '../../src/store/store.ts';

let store: Store;
let app: App;
const at = new Date(1_000);

beforeEach(() => {
  store = openStore(':memory:', createSeal(randomBytes(32)));
  app = store.apps.create(parseAppName('blog'), at);
});

const started = () => store.builds.start(app, { kind: 'build', actor: 'ann', commit: 'a'.repeat(40), at });

describe('builds', () => {
  it('are numbered per app and shown newest first', () => {
    const other = store.apps.create(parseAppName('shop'), at);
    started();
    started();
    store.builds.start(other, { kind: 'deploy', actor: 'bob', commit: null, at });
    expect(store.builds.list(app).map(({ number }) => number)).toEqual([2, 1]);
    expect(store.builds.list(other)[0]).toMatchObject({ number: 1, kind: 'deploy', status: 'running' });
  });

  it('end once', () => {
    const build = started();
    store.builds.end(build, { status: 'succeeded', release: 7, at });
    store.builds.end(build, { status: 'failed', reason: 'late', at });
    expect(store.builds.get(app, 1)).toMatchObject({ status: 'succeeded', release: 7, reason: null });
  });

  it('that were running when the daemon died are abandoned, others are not', () => {
    store.builds.end(started(), { status: 'canceled', at });
    started();
    store.builds.abandonRunning(at);
    expect(store.builds.list(app).map(({ status }) => status)).toEqual(['abandoned', 'canceled']);
  });

  it('go when there are newer ones, but not while they run', () => {
    started();
    for (const _ of [1, 2, 3]) store.builds.end(started(), { status: 'failed', at });
    expect(store.builds.prune(app, 1)).toBe(2);
    expect(store.builds.list(app).map(({ number }) => number)).toEqual([4, 1]);
    expect(() => store.builds.get(app, 2)).toThrow(/Build 2 of app blog does not exist/);
  });
});
