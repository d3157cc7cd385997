import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Copy, copyDatabase, listCopies, superfluous } from '../../src/store/copies.ts';
import { damageOf } from '../../src/store/integrity.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { restoreDatabase } from '../../src/store/restore.ts';
import { Database } from '../../src/system/sqlite.ts';
import { until } from '../support/until.ts';

const notes = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT';
const audit = 'CREATE TABLE audit (id INTEGER PRIMARY KEY, at INTEGER, user TEXT, command TEXT, app TEXT)';
const old = [notes, audit];
const at = new Date('2026-05-01T12:00:00Z');

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-database-'));
  file = join(dir, 'wherry.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (migrations: readonly string[] = old) => openDatabase(file, { migrations, now: () => at });
const texts = (db: Sqlite.Database) => db.prepare('SELECT text FROM notes ORDER BY id').pluck().all();
const filled = (count = 1) => {
  const db = open();
  const add = db.prepare('INSERT INTO notes (text) VALUES (?)');
  db.transaction(() => {
    for (let n = 0; n < count; n++) add.run(`note ${n} ${'.'.repeat(400)}`);
  })();
  return db;
};
const note = (db: Sqlite.Database, command: string) =>
  db
    .prepare('INSERT INTO audit (at, user, command, app) VALUES (?, ?, ?, ?)')
    .run(at.getTime(), 'ann', command, 'blog');
/** As a bad disk would: a page in the middle has something else in it. */
const damage = (page = 5) => {
  const bytes = readFileSync(file);
  bytes.fill(0x5a, page * 4096, (page + 1) * 4096);
  writeFileSync(file, bytes);
};

describe('a database that is opened', () => {
  it('writes ahead, and to the disk before anybody hears of it', () => {
    const db = open();
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true }), 'FULL').toBe(2);
    db.close();
  });

  it('is copied before it is migrated, for root alone', () => {
    filled().close();
    const db = open([...old, "UPDATE notes SET text = 'changed'"]);
    expect(texts(db)).toEqual(['changed']);
    db.close();
    const [copy] = listCopies(file);
    expect(copy).toMatchObject({ version: 2, why: 'upgrade', at });
    expect(statSync(copy?.file ?? '').mode & 0o077).toBe(0);
    expect(statSync(join(dir, 'database-copies')).mode & 0o077).toBe(0);
    const before = new Database(copy?.file, { readonly: true });
    expect(texts(before)[0]).toContain('note 0');
    before.close();
  });

  it('is not copied when it is new, or has nothing to be migrated', () => {
    filled().close();
    open().close();
    expect(listCopies(file)).toEqual([]);
  });

  it('is as it was before when a migration fails, and the older program opens it', () => {
    filled().close();
    const wrong = [...old, 'DELETE FROM notes', 'INSERT INTO nothing VALUES (1)'];
    expect(() => open(wrong)).toThrow(
      /could not be brought up to this version and is as it was before: .*nothing/,
    );
    const db = open();
    expect(texts(db)).toHaveLength(1);
    expect(db.pragma('user_version', { simple: true })).toBe(2);
    db.close();
  });

  it('is as it was before when it is killed in the middle of a migration', async () => {
    filled().close();
    const endless =
      'DELETE FROM notes; INSERT INTO notes (text) WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT hex(randomblob(500)) FROM n';
    const source = new URL('../../src/store/open-database.ts', import.meta.url).href;
    const script = join(dir, 'migrate.mts');
    writeFileSync(
      script,
      `const { openDatabase } = await import(${JSON.stringify(source)});\nopenDatabase(${JSON.stringify(file)}, { migrations: ${JSON.stringify([...old, endless])} });\n`,
    );
    const loader = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
    const child = spawn(process.execPath, ['--import', loader, script], { stdio: 'ignore' });
    const size = () => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    await until('much of it to be written', () => size() > 3 * 2 ** 20, { timeout: 15_000, every: 5 });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const db = open();
    expect(texts(db)).toHaveLength(1);
    expect(damageOf(db, 'integrity_check')).toBeUndefined();
    db.close();
    expect(listCopies(file).map(({ why }) => why)).toEqual(['upgrade']);
  });

  it('is left alone by an older program, which names the way back', () => {
    filled().close();
    open([...old, 'DELETE FROM notes']).close();
    const [copy] = listCopies(file);
    const refused = {
      message: expect.stringMatching(/version 3.*this one knows 2.*without all changes since/),
      hint: `wherry database restore ${copy?.name}`,
    };
    expect(() => open()).toThrowError(expect.objectContaining(refused));
    restoreDatabase(file, { name: copy?.name, now: at });
    const db = open();
    expect(texts(db)).toHaveLength(1);
    db.close();
  });

  it('is refused when a page is damaged, with what to do, and is not changed', () => {
    filled(200).close();
    damage();
    const before = readFileSync(file);
    expect(() => open()).toThrowError(
      expect.objectContaining({
        message: expect.stringMatching(/^Database .* is damaged \(.*\)\. Nothing was changed/),
        hint: 'wherry database restore',
      }),
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it.each([
    ['its first page', () => damage(0)],
    ['its end', () => writeFileSync(file, readFileSync(file).subarray(0, 5 * 4096 + 100))],
    ['all of it', () => writeFileSync(file, 'nothing of a database'.repeat(400))],
  ])('is refused when it has lost %s', (_what, lose) => {
    filled(200).close();
    lose();
    expect(() => open()).toThrow(/is damaged/);
  });

  it('is not made anew where there was one', () => {
    const db = filled();
    copyDatabase(db, file, { at, why: 'regular' });
    db.close();
    rmSync(file);
    expect(() => open()).toThrow(/There is no database at .*, and there was one/);
    expect(existsSync(file)).toBe(false);
  });
});

describe('a database that is restored', () => {
  it('is the newest whole copy, the damaged one is kept, and what is lost is said', () => {
    const db = filled(200);
    note(db, 'config:set');
    copyDatabase(db, file, { at, why: 'regular' });
    note(db, 'domains:add');
    db.close();
    damage();
    const restored = restoreDatabase(file, { now: at });
    expect(restored.copy.why).toBe('regular');
    expect(restored.lost).toEqual([{ at, user: 'ann', command: 'domains:add', app: 'blog' }]);
    const aside = new Database(restored.aside, { readonly: true });
    expect(damageOf(aside, 'quick_check')).toBeDefined();
    aside.close();
    const back = open();
    expect(texts(back)).toHaveLength(200);
    expect(back.prepare('SELECT command FROM audit').pluck().all()).toEqual(['config:set']);
    back.close();
  });

  it('passes over copies that are damaged themselves', () => {
    const db = filled(200);
    copyDatabase(db, file, { at: new Date(at.getTime() - 1000), why: 'regular' });
    const newer = copyDatabase(db, file, { at, why: 'regular' });
    db.close();
    writeFileSync(newer, readFileSync(newer).fill(0x5a, 20_000, 30_000));
    const { copy, passedOver } = restoreDatabase(file, { now: at });
    expect(copy.at.getTime()).toBe(at.getTime() - 1000);
    expect(passedOver).toHaveLength(1);
  });

  it('does not get the log of the one before it', () => {
    const db = filled();
    copyDatabase(db, file, { at, why: 'regular' });
    db.prepare("UPDATE notes SET text = 'later'").run();
    // A process that died: its log is still there.
    const wal = readFileSync(`${file}-wal`);
    const main = readFileSync(file);
    db.close();
    writeFileSync(file, main);
    writeFileSync(`${file}-wal`, wal);
    restoreDatabase(file, { now: at });
    const back = open();
    expect(texts(back)[0]).toContain('note 0');
    back.close();
  });

  it('says that what was lost cannot be told, when the damaged one does not tell it', () => {
    const db = filled();
    copyDatabase(db, file, { at, why: 'regular' });
    db.close();
    writeFileSync(file, 'nothing');
    expect(restoreDatabase(file, { now: at }).lost).toBeUndefined();
  });

  it('refuses when there is no copy, one of another name, or none that is whole', () => {
    const db = filled();
    expect(() => restoreDatabase(file, { now: at })).toThrow(/There is no copy of/);
    const copy = copyDatabase(db, file, { at, why: 'regular' });
    db.close();
    expect(() => restoreDatabase(file, { name: '../wherry.db', now: at })).toThrow(
      /There is no copy \.\.\/wherry\.db/,
    );
    writeFileSync(copy, 'nothing');
    expect(() => restoreDatabase(file, { now: at })).toThrow(/No copy can be put back/);
    expect(texts(open())).toHaveLength(1);
  });
});

describe('copies', () => {
  const made = (hoursAgo: number, why: Copy['why'] = 'regular'): Copy => {
    const when = new Date(at.getTime() - hoursAgo * 3_600_000);
    return { name: `${why} ${hoursAgo}`, file: '', at: when, version: 2, why, bytes: 1 };
  };

  it('are kept of the last six hours, of seven days and of three upgrades', () => {
    const hourly = Array.from({ length: 24 * 12 }, (_, hours) => made(hours));
    const upgrades = [0, 100, 2000, 3000].map(hours => made(hours, 'upgrade'));
    const gone = superfluous([...hourly, ...upgrades]);
    const left = [...hourly, ...upgrades].filter(copy => !gone.includes(copy)).map(({ name }) => name);
    expect(left).toEqual([
      ...[0, 1, 2, 3, 4, 5, 13, 37, 61, 85, 109, 133].map(hours => `regular ${hours}`),
      ...[0, 100, 2000].map(hours => `upgrade ${hours}`),
    ]);
  });

  it('that were cut off are no copies, and go with the next', () => {
    const db = filled();
    copyDatabase(db, file, { at, why: 'regular' });
    const left = join(dir, 'database-copies', 'x.db.new');
    writeFileSync(left, 'half');
    expect(listCopies(file)).toHaveLength(1);
    copyDatabase(db, file, { at: new Date(at.getTime() + 1), why: 'regular' });
    expect(readdirSync(join(dir, 'database-copies'))).toHaveLength(2);
    db.close();
  });
});
