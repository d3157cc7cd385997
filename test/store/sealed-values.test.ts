import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseFault } from '../../src/domain/fault.ts';
import type { ImageId } from '../../src/domain/image.ts';
import { parseAppName, parseConfigKey } from '../../src/domain/names.ts';
import { listCopies } from '../../src/store/copies.ts';
import { loadKey, saveKeys } from '../../src/store/key-file.ts';
import { migrations } from '../../src/store/migrations.ts';
import { restoreDatabase } from '../../src/store/restore.ts';
import { createSeal } from '../../src/store/seal.ts';
import { sealedColumns } from '../../src/store/sealed-values.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { armFault } from '../../src/system/fault.ts';
import { Database } from '../../src/system/sqlite.ts';

let dir: string;
let file: string;
let database: string;
const image = `sha256:${'1'.repeat(64)}` as ImageId;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-sealed-'));
  file = join(dir, 'secret.key');
  database = join(dir, 'wherry.db');
});
afterEach(() => {
  armFault(undefined);
  rmSync(dir, { recursive: true });
});

const open = (): Store =>
  openStore(
    database,
    createSeal(loadKey(file, database), keys => saveKeys(file, keys)),
  );

/** One value in each column that is sealed. */
function fill(store: Store): void {
  const at = new Date(0);
  const app = store.apps.create(parseAppName('blog'), at);
  store.images.put({
    ...{ id: image, layers: [], env: {}, workingDir: '/', user: { uid: 1, gid: 1 } },
    ...{ entrypoint: [], processes: [], labels: {} },
  });
  store.config.set(app, new Map([[parseConfigKey('A'), 'of the app']]));
  store.config.set('global', new Map([[parseConfigKey('A'), 'of all']]));
  const made = { description: '', actor: 'ann', commit: null, at };
  store.releases.create(app, { image, config: { A: 'of v1' }, ...made });
  store.releases.create(app, { image, config: { A: 'of v2' }, ...made });
  store.credentials.put('git', app, { host: 'git.example', user: 'ann', password: 'password' });
  store.credentials.putDeployKey({ publicKey: 'public', privateKey: 'private' });
  const names = { id: 'c1', chain: '', names: [], issuer: '', selfSigned: true };
  store.certificates.put(app, { ...names, notBefore: at, notAfter: at, key: 'key' }, { source: 'given', at });
  store.acme.accountKey({ server: 'ca', email: '' }, () => 'account');
  store.acme.keepOrder(app, 'a.example', 'order');
  store.acme.dropOrder(app, 'b.example');
  store.pluginSecrets.set({ plugin: 'p', name: 'n' }, undefined, 'of plugin');
  store.answers.put({ actor: 'ann', key: 'k' }, { request: 'r', state: { outcome: 'answer' } }, at);
}

function read(store: Store): unknown[] {
  const app = store.apps.get(parseAppName('blog'));
  return [
    store.config.merged(app),
    store.config.own('global'),
    ...[1, 2].map(version => store.releases.config(store.releases.get(app, version))),
    store.credentials.find('git', app, 'git.example')?.password,
    store.credentials.deployKey()?.privateKey,
    store.certificates.key('c1'),
    store.acme.accountKey({ server: 'ca', email: '' }, () => 'another'),
    store.acme.order(app, 'a.example'),
    store.acme.order(app, 'b.example'),
    store.pluginSecrets.get({ plugin: 'p', name: 'n' }, undefined),
    store.answers.find({ actor: 'ann', key: 'k' }),
  ];
}

const values = 11;

describe('a change of the key', () => {
  it('seals every value anew and leaves nothing that the old key opens', async () => {
    const store = open();
    fill(store);
    const before = read(store);
    const old = readFileSync(file);
    expect(await store.sealed.rotate(new Date(9))).toBe(values);
    expect(read(store)).toEqual(before);
    store.close();
    expect(readFileSync(file)).toHaveLength(32);
    expect(readFileSync(file)).not.toEqual(old);
    const label = createSeal(old).label();
    expect(readFileSync(database).includes(label)).toBe(false);
    expect(() => openStore(database, createSeal(old))).toThrow(/secret\.key/);
    const again = open();
    expect(read(again)).toEqual(before);
    again.close();
  });

  it.each(['secrets:key', 'secrets:some', 'secrets:all'])(
    'that is cut off at %s loses nothing and is ended after the next start',
    async point => {
      const store = open();
      fill(store);
      const before = read(store);
      armFault(parseFault(`${point}:error`));
      await expect(store.sealed.rotate(new Date(9))).rejects.toThrow(point);
      expect(read(store)).toEqual(before);
      store.close();
      expect(readFileSync(file)).toHaveLength(64);
      const again = open();
      expect(read(again)).toEqual(before);
      await again.sealed.settle(new Date(9));
      expect(read(again)).toEqual(before);
      again.close();
      expect(readFileSync(file)).toHaveLength(32);
    },
  );

  it('makes copies of the database anew, for the key of the old ones is given up', async () => {
    const store = open();
    fill(store);
    store.copy(new Date(1));
    store.copy(new Date(2));
    await store.sealed.rotate(new Date(3));
    const before = read(store);
    store.close();
    expect(listCopies(database).map(({ at }) => at)).toEqual([new Date(3)]);
    restoreDatabase(database, { now: new Date(4) });
    const again = open();
    expect(read(again)).toEqual(before);
    again.close();
  });

  it('that is cut off goes on when it is asked for again, with the same key', async () => {
    const store = open();
    fill(store);
    armFault(parseFault('secrets:key:error'));
    await expect(store.sealed.rotate(new Date(9))).rejects.toThrow();
    const [next] = [readFileSync(file).subarray(0, 32)];
    await store.sealed.rotate(new Date(9));
    expect(readFileSync(file)).toEqual(next);
    store.close();
  });

  it('asked for twice at once is done once', async () => {
    const store = open();
    fill(store);
    expect(await Promise.all([store.sealed.rotate(new Date(9)), store.sealed.rotate(new Date(9))])).toEqual([
      values,
      values,
    ]);
    expect(readFileSync(file)).toHaveLength(32);
    store.close();
  });

  it('takes along what is set meanwhile', async () => {
    const store = open();
    fill(store);
    const app = store.apps.get(parseAppName('blog'));
    const rotated = store.sealed.rotate(new Date(9));
    store.config.set(app, new Map([[parseConfigKey('B'), 'meanwhile']]));
    await rotated;
    store.close();
    const again = open();
    expect(again.config.own(app)).toEqual({ A: 'of the app', B: 'meanwhile' });
    again.close();
  });
});

describe('a database', () => {
  it('whose key is another one is not opened', () => {
    const store = open();
    fill(store);
    store.close();
    saveKeys(file, randomBytes(32));
    expect(open).toThrow(/Put back the secret\.key/);
  });

  it('has no column of bytes that a change of the key does not know', () => {
    open().close();
    const db = new Database(database);
    const found = db
      .prepare<[], { name: string }>(
        `SELECT t.name || '.' || c.name AS name FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND c.type = 'BLOB'`,
      )
      .all();
    db.close();
    const known = sealedColumns.map(({ table, column }) => `${table}.${column}`);
    expect(found.map(({ name }) => name).sort()).toEqual([...known].sort());
  });

  it('of before values had places is brought up', () => {
    const at = migrations.findIndex(sql => sql.includes('bound('));
    const old = new Database(database);
    for (const migration of migrations.slice(0, at)) old.exec(migration);
    old.pragma(`user_version = ${at}`);
    const key = loadKey(file);
    old.exec("INSERT INTO apps (id, name, created_at) VALUES (1, 'blog', 0)");
    old.prepare("INSERT INTO config (app_id, key, sealed) VALUES (1, 'A', ?)").run(unplaced(key, 'kept'));
    old.exec("INSERT INTO acme_hosts (app_id, host, failures) VALUES (1, 'a.example', 0)");
    old.close();

    const store = open();
    const app = store.apps.get(parseAppName('blog'));
    expect(store.config.own(app)).toEqual({ A: 'kept' });
    expect(store.acme.order(app, 'a.example')).toBeUndefined();
    store.close();
  });
});

function unplaced(key: Buffer, value: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(value), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}
