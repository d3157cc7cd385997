import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArchiveLimits } from '../../src/build/archive-folder.ts';
import { extractZip } from '../../src/build/zip.ts';
import { type Zipped, zipOf } from './support/zips.ts';

let root: string;
let into: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-zip-'));
  into = join(root, 'into');
  mkdirSync(into);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function unpack(archive: Buffer, limits: Partial<ArchiveLimits> = {}): Promise<void> {
  const file = join(root, 'archive.zip');
  writeFileSync(file, archive);
  await extractZip({ file, into, name: 'The archive', limits });
}

const link = (name: string, text: string): Zipped => ({ name, text, mode: 0o120777, method: 0 });

describe('a zip archive', () => {
  it('becomes files, folders and links with plain modes', async () => {
    const long = 'hello '.repeat(50_000);
    await unpack(
      zipOf([
        { name: 'app/', mode: 0o40700 },
        { name: 'app/bin/run', text: '#!/bin/sh', mode: 0o104755 },
        { name: 'app/long.txt', text: long },
        { name: 'app/stored.txt', text: 'as it is', method: 0 },
        { name: 'app/empty', method: 0 },
        { name: 'app/grüße.txt', text: 'x', flags: 0x800 },
        link('app/run', 'bin/run'),
      ]),
    );
    expect(readdirSync(join(into, 'app')).sort()).toEqual(
      ['bin', 'empty', 'grüße.txt', 'long.txt', 'run', 'stored.txt'].sort(),
    );
    expect(readFileSync(join(into, 'app/long.txt'), 'utf8')).toBe(long);
    expect(readFileSync(join(into, 'app/stored.txt'), 'utf8')).toBe('as it is');
    expect(readlinkSync(join(into, 'app/run'))).toBe('bin/run');
    expect(lstatSync(join(into, 'app/bin/run')).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(into, 'app/long.txt')).mode & 0o7777).toBe(0o644);
  });

  it('is found behind a comment that looks like its end', async () => {
    await unpack(zipOf([{ name: 'a', text: 'x' }], { comment: 'PK\x05\x06 is the mark' }));
    expect(readFileSync(join(into, 'a'), 'utf8')).toBe('x');
  });

  it.each<[string, readonly Zipped[], RegExp]>([
    ['an absolute path', [{ name: '/etc/x' }], /"\/etc\/x" is an absolute path/],
    ['a path that climbs', [{ name: 'a/../../x' }], /leads out of the archive/],
    ['a path with backslashes', [{ name: '..\\x' }], /holds a backslash/],
    ['a name that is no UTF-8', [{ name: Buffer.from([0x61, 0xff]) }], /is not a name in UTF-8/],
    ['a name with a NUL', [{ name: 'a\0b' }], /holds characters that no file name should/],
    ['a link to an absolute path', [link('a', '/etc/passwd')], /"a" is a link to an absolute path/],
    ['a link that climbs out', [link('a', '../x')], /link that leads out/],
    ['a file through a link', [link('a', 'b'), { name: 'a/x', text: 'x' }], /goes through link "a"/],
    ['a link with a huge target', [link('a', 'x'.repeat(5000))], /is a link to what is no file name/],
    ['a device', [{ name: 'a', mode: 0o20644 }], /neither file, folder nor link/],
    ['a name twice', [{ name: 'a' }, { name: './a' }], /is in it twice/],
    ['a folder with content', [{ name: 'a/', text: 'x' }], /is a folder with content/],
    ['a password', [{ name: 'a', text: 'x', flags: 1 }], /"a" is encrypted/],
    ['another compression', [{ name: 'a', text: 'x', method: 12 }], /is compressed by method 12/],
    ['a wrong checksum', [{ name: 'a', text: 'x', crc: 1 }], /"a" is damaged/],
    ['a size that is too small', [{ name: 'a', text: 'x'.repeat(99), size: 3 }], /is larger than it says/],
    ['a size that is too large', [{ name: 'a', text: 'x', size: 3 }], /"a" is damaged/],
    ['bytes that are not deflated', [{ name: 'a', text: 'xx', method: 8, crc: 0 }], /"a" is damaged/],
    ['two names for one entry', [{ name: 'a', localName: 'b' }], /tells one thing in its directory/],
    ['a longer name in the entry', [{ name: 'a', localName: 'ab' }], /tells one thing in its directory/],
    [
      'entries that share bytes',
      [
        { name: 'a', text: 'x' },
        { name: 'a', text: 'x', shares: 0 },
      ],
      /shares its bytes/,
    ],
  ])('with %s is refused', async (_, entries, why) => {
    const refused = expect.objectContaining({ code: 'invalid', message: expect.stringMatching(why) });
    await expect(unpack(zipOf(entries))).rejects.toEqual(refused);
    expect(existsSync(join(root, 'x'))).toBe(false);
  });

  it('that unpacks to more than is allowed is refused before it is unpacked', async () => {
    const bomb = zipOf([{ name: 'zeros', text: Buffer.alloc(4 * 2 ** 20) }]);
    await expect(unpack(bomb, { bytes: 2 ** 20 })).rejects.toThrow(/makes it larger than 1 MiB unpacked/);
    const liar = zipOf([{ name: 'zeros', text: Buffer.alloc(4 * 2 ** 20), size: 10 }]);
    await expect(unpack(liar, { bytes: 2 ** 20 })).rejects.toThrow(/is larger than it says/);
    expect(lstatSync(join(into, 'zeros')).size).toBeLessThan(100_000);
  });

  it('with too many entries is refused', async () => {
    const many = zipOf([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    await expect(unpack(many, { entries: 2 })).rejects.toThrow(/one more than the 2 entries/);
  });

  it('that is cut off anywhere is refused', async () => {
    const whole = zipOf([
      { name: 'a', text: 'hello' },
      { name: 'b', text: 'there' },
    ]);
    for (let length = 0; length < whole.length; length += 1)
      await expect(unpack(whole.subarray(0, length)), `${length} bytes`).rejects.toThrow(
        /no zip archive|damaged/,
      );
  });

  it('in the ZIP64 format is refused with the way out', async () => {
    await expect(unpack(zipOf([{ name: 'a' }], { count: 0xffff }))).rejects.toThrow(/ZIP64.*Send a tar\.gz/);
  });

  it('whose directory holds fewer entries than it says is refused', async () => {
    await expect(unpack(zipOf([{ name: 'a' }], { count: 2 }))).rejects.toThrow(/has a damaged directory/);
  });
});
