import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/domain/app.ts';
import type { Image } from '../../src/domain/image.ts';
import { type ProcessType, parseAppName, parseConfigKey, parseDomain } from '../../src/domain/names.ts';
import { loadKey } from '../../src/store/key-file.ts';
import { migrations } from '../../src/store/migrations.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { Database } from '../../src/system/sqlite.ts';

const seal = createSeal(randomBytes(32));
const image = (digit: string): Image => ({
  id: `sha256:${digit.repeat(64)}`,
  layers: [],
  env: {},
  workingDir: '/workspace',
  user: { uid: 1000, gid: 1000 },
  entrypoint: [],
  processes: [],
  labels: {},
});

let store: Store;
let blog: App;
beforeEach(() => {
  store = openStore(':memory:', seal);
  blog = store.apps.create(parseAppName('blog'), new Date(0));
});
afterEach(() => store.close());

const release = (digit: string, config = {}) => {
  store.images.put(image(digit));
  return store.releases.create(blog, {
    image: image(digit).id,
    config,
    description: 'x',
    actor: 'a',
    commit: null,
    at: new Date(1),
  });
};

describe('apps', () => {
  it('refuses a name that is taken', () => {
    expect(() => store.apps.create(parseAppName('blog'), new Date(0))).toThrow('Name is already taken');
  });

  it('answers exit code 20 for a missing app', () => {
    expect(() => store.apps.get(parseAppName('nope'))).toThrowError(
      expect.objectContaining({ exitCode: 20 }),
    );
  });

  it('takes everything of an app along when it goes', () => {
    store.domains.add(blog, parseDomain('a.org'));
    store.config.set(blog, new Map([[parseConfigKey('A'), '1']]));
    release('1');
    store.apps.remove(blog);
    const again = store.apps.create(parseAppName('blog'), new Date(0));
    expect(store.config.own(again)).toEqual({});
    expect(store.domains.owner(parseDomain('a.org'))).toBeUndefined();
  });
});

describe('domains', () => {
  it('names the owner of a domain that is taken', () => {
    const shop = store.apps.create(parseAppName('shop'), new Date(0));
    store.domains.add(blog, parseDomain('a.org'));
    expect(() => store.domains.add(shop, parseDomain('a.org'))).toThrow(
      'Domain a.org is already used by app blog. Remove it there first.',
    );
  });

  it('sets all or nothing', () => {
    const shop = store.apps.create(parseAppName('shop'), new Date(0));
    store.domains.add(shop, parseDomain('taken.org'));
    store.domains.add(blog, parseDomain('old.org'));
    expect(() => store.domains.set(blog, [parseDomain('new.org'), parseDomain('taken.org')])).toThrow(
      /already used/,
    );
    expect(store.domains.list(blog)).toEqual(['old.org']);
  });
});

describe('config', () => {
  it.each([
    '',
    'plain',
    'two\nlines',
    '"quotes" \'and\' $dollars `ticks`',
    '{"a":[1]}',
    '\u00e4\u{1f6a3}',
    'x'.repeat(1_000_000),
  ])('keeps a value byte for byte', value => {
    store.config.set(blog, new Map([[parseConfigKey('A'), value]]));
    expect(store.config.own(blog)).toEqual({ A: value });
  });

  it('comes back in byte order', () => {
    store.config.set(blog, new Map(['b', 'B', 'a'].map(key => [parseConfigKey(key), '1'])));
    expect(Object.keys(store.config.own(blog))).toEqual(['B', 'a', 'b']);
  });
});

describe('credentials', () => {
  it("are an app's own first, else everybody's", () => {
    const app = blog;
    const other = store.apps.create(parseAppName('shop'), new Date(0));
    store.credentials.put('registry', 'global', { host: 'r.example', user: 'all', password: 'pass-of-all' });
    store.credentials.put('registry', app, { host: 'r.example', user: 'blog', password: 'pass-of-blog' });
    expect(store.credentials.find('registry', app, 'r.example')).toEqual({
      user: 'blog',
      password: 'pass-of-blog',
    });
    expect(store.credentials.find('registry', other, 'r.example')?.password).toBe('pass-of-all');
    expect(store.credentials.find('registry', undefined, 'r.example')?.user).toBe('all');
    expect(store.credentials.find('git', app, 'r.example')).toBeUndefined();
    expect(store.credentials.list('registry', app)).toEqual([{ host: 'r.example', user: 'blog' }]);
    store.credentials.clear(app);
    expect(store.credentials.find('registry', app, 'r.example')?.user).toBe('all');
    expect(store.credentials.remove('registry', 'global', 'r.example')).toBe(true);
    expect(store.credentials.remove('registry', 'global', 'r.example')).toBe(false);
  });
});

describe('releases', () => {
  it('numbers them per app and has one live at most', () => {
    const one = release('1');
    const two = release('2');
    store.releases.promote(one);
    store.releases.promote(two);
    expect(store.releases.list(blog).map(({ version, status }) => [version, status])).toEqual([
      [2, 'live'],
      [1, 'superseded'],
    ]);
  });

  it('keeps the config of each release', () => {
    const one = release('1', { A: 'secret' });
    expect(store.releases.config(one)).toEqual({ A: 'secret' });
  });

  it('never turns a live release into a failed one', () => {
    const one = release('1');
    store.releases.promote(one);
    store.releases.fail(one);
    expect(store.releases.live(blog)?.version).toBe(1);
  });

  it('gives up what was under way when the daemon died', () => {
    release('1');
    store.releases.abandonPending();
    expect(store.releases.list(blog)[0]?.status).toBe('failed');
  });

  it('prunes old releases and the images that only they had', () => {
    for (const digit of ['1', '2', '3', '4']) store.releases.promote(release(digit));
    store.releases.prune(blog, 2);
    store.images.prune();
    expect(store.releases.list(blog).map(({ version }) => version)).toEqual([4, 3]);
    expect(store.images.list()).toHaveLength(2);
  });

  it('keeps releases that still run, however old, and says which are not kept any more', () => {
    for (const digit of ['1', '2', '3', '4']) store.releases.promote(release(digit));
    store.releases.prune(blog, 1, [2]);
    store.images.prune();
    expect(store.releases.list(blog).map(({ version }) => version)).toEqual([4, 2]);
    expect(store.images.list()).toHaveLength(2);
    expect(() => store.releases.get(blog, 3)).toThrow(
      'Release v3 of app blog is not kept any more. Push its commit again, or choose one of "releases blog".',
    );
    expect(() => store.releases.get(blog, 5)).toThrow('Release v5 of app blog does not exist.');
  });
});

describe('limits', () => {
  it('falls through from the type to the app to the built-in default, key by key', () => {
    store.limits.put(blog, { type: '_default_', memory: 100, cpus: 2, disk: 2 ** 30 });
    store.limits.put(blog, { type: 'web', memory: 200, cpus: null, disk: null });
    expect(store.limits.resolve(blog, 'web')).toMatchObject({ memory: 200, cpus: 2 });
    expect(store.limits.resolve(blog, 'worker')).toMatchObject({ memory: 100, cpus: 2, disk: 2 ** 30 });
    store.limits.clear(blog, '_default_');
    expect(store.limits.resolve(blog, 'worker').memory).toBe(512 * 2 ** 20);
  });

  it('keeps counts of processes', () => {
    store.formation.set(blog, new Map([['web' as ProcessType, 3]]));
    expect([...store.formation.get(blog)]).toEqual([['web', 3]]);
  });
});

describe('on disk', () => {
  it('holds no config value in clear and is for root alone', () => {
    const dir = mkdtempSync(join(tmpdir(), 'wherry-store-'));
    try {
      const disk = openStore(join(dir, 'db'), createSeal(loadKey(join(dir, 'key'))));
      const app = disk.apps.create(parseAppName('blog'), new Date(0));
      disk.config.set(app, new Map([[parseConfigKey('A'), 'very-secret-value']]));
      const login = { host: 'r.example', user: 'ann', password: 'very-secret-password' };
      disk.credentials.put('registry', app, login);
      disk.close();
      expect(readFileSync(join(dir, 'db')).includes('very-secret-value')).toBe(false);
      expect(statSync(join(dir, 'db')).mode & 0o077).toBe(0);
      expect(statSync(join(dir, 'key')).mode & 0o077).toBe(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('says so when the key is another one', () => {
    const sealed = seal.seal('x', ['config', 1, 'A']);
    expect(() => createSeal(randomBytes(32)).open(sealed, ['config', 1, 'A'])).toThrow(/secret.key/);
  });
});

describe('keys of before there were roles', () => {
  it('become those of owners', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'wherry-store-')), 'old.sqlite');
    const old = new Database(file);
    const before = migrations.findIndex(sql => sql.includes('CREATE TABLE users'));
    for (const migration of migrations.slice(0, before)) old.exec(migration);
    old.pragma(`user_version = ${before}`);
    old.exec(
      "INSERT INTO keys (name, fingerprint, public_key, created_at) VALUES ('ann', 'SHA256:x', 'ssh-ed25519 AAAA', 5)",
    );
    old.close();
    const store = openStore(file, createSeal(randomBytes(32)));
    expect(store.keys.byFingerprint('SHA256:x')).toEqual({
      name: 'ann',
      fingerprint: 'SHA256:x',
      publicKey: 'ssh-ed25519 AAAA',
      createdAt: new Date(5),
    });
    expect(store.people.grants('ann')).toEqual([{ role: 'owner' }]);
    store.close();
    rmSync(dirname(file), { recursive: true });
  });
});
