import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { diskThatRefuses, diskTrouble, unlessDiskRefuses } from '../../src/system/disk-trouble.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-trouble-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code });

describe('an error whose reason is the disk', () => {
  it.each([
    [coded('ENOSPC'), /is full\. Free some/],
    [coded('EDQUOT'), /is full/],
    [coded('SQLITE_FULL'), /is full/],
    [coded('EROFS'), /can only be read.*dmesg/],
    [coded('SQLITE_READONLY_DBMOVED'), /can only be read/],
    [coded('EIO'), /fails to read or write.*dmesg/],
    [coded('SQLITE_IOERR_FSYNC'), /fails to read or write/],
    [coded('SQLITE_CORRUPT'), /database in .* is damaged/],
    [new Error('tar ended with 2: write error: No space left on device'), /is full/],
    [new Error('a step failed', { cause: coded('ENOSPC') }), /is full/],
    [new WherryError('failed', 'A step failed.', { cause: coded('ENOSPC') }), /is full/],
  ])('is a sentence that names the folder and the remedy: %s', (error, says) => {
    const trouble = diskTrouble(error, [dir, '/nowhere']);
    expect(trouble?.message).toMatch(says);
    expect(trouble?.message).toContain(dir);
    expect(trouble).toMatchObject({ code: 'unavailable', cause: error });
  });

  it.each([
    new Error('a bug'),
    coded('ENOENT'),
    coded('SQLITE_CONSTRAINT'),
    new WherryError('invalid', 'No.', { cause: coded('ENOSPC') }),
    new WherryError('failed', 'No space left on device, says a build.'),
    undefined,
  ])('is no other: %s', error => {
    expect(diskTrouble(error, [dir])).toBeUndefined();
  });

  it('is looked for on the disk itself, which keeps nothing of that', () => {
    expect(diskThatRefuses([dir])).toBeUndefined();
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('what can be left out', () => {
  it('is, when the disk refuses it, and tells of that; of other errors it is not silent', () => {
    const told: unknown[] = [];
    const full = coded('ENOSPC');
    expect(
      unlessDiskRefuses(
        () => {},
        error => told.push(error),
      ),
    ).toBe(true);
    const refuse = () => {
      throw full;
    };
    expect(unlessDiskRefuses(refuse, error => told.push(error))).toBe(false);
    expect(told).toEqual([full]);
    const bug = () => {
      throw new Error('a bug');
    };
    expect(() => unlessDiskRefuses(bug)).toThrow('a bug');
  });
});
