import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { listCopies } from '../../src/store/copies.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { createDatabaseUpkeep } from '../../src/store/upkeep.ts';
import { silentLog } from '../../src/system/log.ts';

const minute = 60_000;
let dir: string;
let database: string;
let store: Store;
let time: number;
let lookAfter: () => Promise<void>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-upkeep-'));
  database = join(dir, 'wherry.db');
  store = openStore(database, createSeal(randomBytes(32)));
  time = Date.parse('2026-05-01T12:00:00Z');
  lookAfter = createDatabaseUpkeep({ store, database, clock: { now: () => new Date(time) }, log: silentLog });
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true });
});

const change = (name: string) => store.apps.create(parseAppName(name), new Date(time));
const later = async (minutes: number) => {
  time += minutes * minute;
  await lookAfter();
  return listCopies(database).length;
};

describe('the database', () => {
  it('is copied at once, then once an hour when something changed', async () => {
    change('one');
    expect(await later(1)).toBe(1);
    expect(await later(120), 'nothing changed').toBe(1);
    change('two');
    expect(await later(0)).toBe(2);
    change('three');
    expect(await later(59)).toBe(2);
    expect(await later(1)).toBe(3);
  });

  it('is not copied again by each daemon that starts', async () => {
    change('one');
    await later(1);
    const next = createDatabaseUpkeep({
      store,
      database,
      clock: { now: () => new Date(time) },
      log: silentLog,
    });
    await next();
    expect(listCopies(database)).toHaveLength(1);
  });

  it('is not copied while it is damaged, which is told once an hour', async () => {
    change('one');
    const damaged = { ...store, damage: () => 'row 7 missing from index x' };
    const now = () => new Date(time);
    const look = createDatabaseUpkeep({ store: damaged, database, clock: { now }, log: silentLog });
    for (let minutes = 0; minutes < 70; minutes += 10) {
      await look();
      time += 10 * minute;
    }
    expect(listCopies(database)).toEqual([]);
    const told = store.events.list({ limit: 10 }).map(({ message }) => message);
    expect(told).toHaveLength(2);
    expect(told[0]).toContain('row 7 missing from index x');
  });
});
