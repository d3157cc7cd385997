import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadKey, saveKeys } from '../../src/store/key-file.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-key-'));
  file = join(dir, 'secret.key');
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('the key file', () => {
  it('is made once, for nobody else', () => {
    const key = loadKey(file, join(dir, 'wherry.db'));
    expect(key).toHaveLength(32);
    expect(loadKey(file)).toEqual(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is not made anew beside a database', () => {
    writeFileSync(join(dir, 'wherry.db'), '');
    expect(() => loadKey(file, join(dir, 'wherry.db'))).toThrow(/secret\.key is gone.*Put it back/);
    expect(readdirSync(dir)).toEqual(['wherry.db']);
  });

  it.each([0o640, 0o604, 0o620, 0o611])('is refused with mode %o, with the remedy', mode => {
    loadKey(file);
    chmodSync(file, mode);
    expect(() => loadKey(file)).toThrow(/can be read by others.*chmod 600/);
  });

  it.each([0, 31, 33, 63])('is refused with %i bytes', length => {
    writeFileSync(file, Buffer.alloc(length), { mode: 0o600 });
    expect(() => loadKey(file)).toThrow(/damaged.*Restore it/);
  });

  it('may lie elsewhere, behind a link, which a change of it leaves', () => {
    const elsewhere = join(dir, 'elsewhere');
    loadKey(elsewhere);
    symlinkSync(elsewhere, file);
    const keys = randomBytes(64);
    saveKeys(file, keys);
    expect(readFileSync(elsewhere)).toEqual(keys);
    expect(readlinkSync(file)).toBe(elsewhere);
    chmodSync(elsewhere, 0o644);
    expect(() => loadKey(file)).toThrow(/can be read by others/);
  });

  it('behind a link to nowhere is gone, not made anew', () => {
    symlinkSync(join(dir, 'unplugged'), file);
    writeFileSync(join(dir, 'wherry.db'), '');
    expect(() => loadKey(file, join(dir, 'wherry.db'))).toThrow(/is gone/);
  });

  it('is changed as a whole, and stays closed', () => {
    loadKey(file);
    const keys = randomBytes(64);
    saveKeys(file, keys);
    expect(readFileSync(file)).toEqual(keys);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['secret.key']);
  });
});
