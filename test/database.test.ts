import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runDatabase } from '../src/database.ts';
import { parseAppName } from '../src/domain/names.ts';
import { createSeal } from '../src/store/seal.ts';
import { openStore } from '../src/store/store.ts';

let data: string;
let said = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'wherry-database-'));
  said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(text => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(data, { recursive: true });
});

const seal = createSeal(randomBytes(32));
const file = () => join(data, 'wherry.db');
const run = (...words: string[]) => runDatabase(['--data', data, 'database', ...words]);

describe('wherry database', () => {
  it('checks, lists copies and restores one, without a daemon', () => {
    const store = openStore(file(), seal);
    store.apps.create(parseAppName('blog'), new Date(0));
    store.copy(new Date('2026-05-01T12:00:00Z'));
    const entry = { via: 'ssh', credential: null, address: null, other: null, args: '', result: 'ok' };
    store.audit.add({ at: new Date(0), user: 'ann', command: 'apps:destroy', app: 'blog', ...entry });
    store.close();
    expect(run('check')).toBe(0);
    expect(said).toContain('is whole');
    expect(run('copies')).toBe(0);
    expect(said).toMatch(/20260501T120000000Z-v\d+-regular\.db {2}\d/);
    expect(run('restore')).toBe(0);
    expect(said).toContain('as it was on 2026-05-01T12:00:00.000Z');
    expect(said).toContain('apps:destroy blog by ann');
    expect(said).toContain(`kept as ${file()}.before-`);
  });

  it('says what is wrong, and the remedy', () => {
    writeFileSync(file(), 'nothing of a database'.repeat(400));
    expect(() => run('check')).toThrowError(
      expect.objectContaining({
        message: expect.stringMatching(/is damaged/),
        hint: 'wherry database restore',
      }),
    );
    expect(() => run('restore')).toThrow(/There is no copy/);
    expect(() => run('restore', '../../etc/passwd')).toThrow(/There is no copy \.\./);
  });

  it.each([[], ['vacuum'], ['check', 'x'], ['restore', 'a', 'b']])('refuses the words %j', (...words) => {
    expect(() => run(...words)).toThrow(/Write wherry database check, copies, or restore/);
  });
});
