import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Header, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractArchive } from '../../src/build/archive.ts';
import type { ArchiveLimits } from '../../src/build/archive-folder.ts';

type Headers = Partial<Header> & Pick<Header, 'name'>;
type Item = Headers & { readonly text?: string };

let root: string;
let into: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-archive-'));
  into = join(root, 'into');
  mkdirSync(into);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function tar(...items: readonly Item[]): Promise<Buffer> {
  const writer = pack();
  for (const { text = '', ...header } of items) writer.entry(header, text);
  writer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of writer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const unpack = async (archive: Buffer, limits: Partial<ArchiveLimits> = {}) =>
  await extractArchive({ stream: Readable.from([archive]), into, name: 'The archive', limits });

const file = (name: string, text = 'x', more: Partial<Headers> = {}): Item => ({ name, text, ...more });
const link = (name: string, linkname: string): Item => ({ name, type: 'symlink', linkname });
const hard = (name: string, linkname: string): Item => ({ name, type: 'link', linkname });

describe('an archive', () => {
  it('becomes files, folders and links with plain modes', async () => {
    const items = [
      { name: './', type: 'directory' as const },
      file('./bin/detect', '#!/bin/sh', { mode: 0o4755 }),
      file('lib/deep/note.txt', 'hello', { mode: 0o666 }),
      { name: 'lib/', type: 'directory' as const },
      link('bin/note', '../lib/deep/note.txt'),
      link('same', '.'),
      hard('copy', 'lib/deep/note.txt'),
    ];
    await unpack(await tar(...items));
    expect(readdirSync(into).sort()).toEqual(['bin', 'copy', 'lib', 'same']);
    expect(readFileSync(join(into, 'bin/note'), 'utf8')).toBe('hello');
    expect(readFileSync(join(into, 'copy'), 'utf8')).toBe('hello');
    expect(readlinkSync(join(into, 'bin/note'))).toBe('../lib/deep/note.txt');
    expect(lstatSync(join(into, 'bin/detect')).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(into, 'copy')).mode & 0o7777).toBe(0o644);
  });

  it.each<[string, readonly Item[], RegExp]>([
    ['an absolute path', [file('/etc/x')], /"\/etc\/x" is an absolute path/],
    ['a path that climbs', [file('a/../../x')], /leads out of the archive/],
    ['a lone "..": its parent', [{ name: '..', type: 'directory' }], /leads out of the archive/],
    ['a link to an absolute path', [link('a', '/etc/passwd')], /"a" is a link to an absolute path/],
    ['a link that climbs out', [link('a', '../x')], /link that leads out/],
    ['a link that climbs out of a folder', [link('d/a', '../../x')], /link that leads out/],
    ['a link whose ".." follows a name', [link('l', '.'), link('a', 'l/../..')], /link that leads out/],
    [
      'a chain of links that climbs',
      [link('a/b/c', '../..'), link('out', 'a/b/c/..'), file('out/x')],
      /"out" is a link that leads out/,
    ],
    ['a file through a link', [link('a', 'b'), file('a/x')], /goes through link "a"/],
    ['a file over a link', [link('a', 'b'), file('a')], /"a" is in it twice/],
    ['a folder over a link', [link('a', 'b'), { name: 'a', type: 'directory' }], /"a" is in it twice/],
    ['a file through a file', [file('a'), file('a/x')], /goes through file "a"/],
    ['the same file twice', [file('a'), file('./a')], /"a" is in it twice/],
    ['a hard link to the outside', [hard('a', '../../etc/passwd')], /leads out of the archive/],
    ['a hard link to an absolute path', [hard('a', '/etc/passwd')], /absolute path/],
    ['a hard link to nothing', [hard('a', 'b')], /not in front of it/],
    ['a hard link to a link', [link('l', 'b'), hard('a', 'l')], /not in front of it/],
    ['a device', [{ name: 'null', type: 'character-device' }], /is a character-device/],
    ['a block device', [{ name: 'sda', type: 'block-device' }], /is a block-device/],
    ['a pipe', [{ name: 'pipe', type: 'fifo' }], /is a fifo/],
    ['a control character', [file('a\nb')], /characters that no file name should/],
    ['a name of 300 characters', [file('n'.repeat(300))], /is too long/],
    ['a path of 5000 characters', [file(`${'n/'.repeat(2500)}x`)], /is too long/],
    ['an empty name for a file', [file('./')], /is not a file name|whole tar/],
  ])('with %s is refused', async (_what, items, message) => {
    await expect(unpack(await tar(...items))).rejects.toThrow(message);
    expect(readdirSync(root)).toEqual(['into']);
  });

  it('that unpacks to more than its limit is refused before it is written', async () => {
    const bomb = await tar(file('a', 'x'.repeat(600)), file('b', 'x'.repeat(600)));
    await expect(unpack(bomb, { bytes: 1000 })).rejects.toThrow(/"b" makes it larger than/);
    expect(existsSync(join(into, 'b'))).toBe(false);
  });

  it('of too many entries is refused', async () => {
    const many = await tar(...Array.from({ length: 30 }, (_, index) => file(`f${index}`)));
    await expect(unpack(many, { entries: 20 })).rejects.toThrow(/one more than the 20 entries/);
  });

  it('that claims a size it does not have is refused as cut off', async () => {
    const archive = await tar(file('a', 'x'));
    archive.write('77777777777', 124, 'latin1');
    await expect(unpack(archive)).rejects.toThrow(/damaged or cut off|larger than/);
  });

  it.each([
    ['inside a file', 700],
    ['between two files', 1024],
    ['in a header', 300],
    ['before anything', 0],
  ])('cut off %s is refused', async (_where, length) => {
    const archive = await tar(file('a', 'x'.repeat(500)), file('b', 'y'));
    await expect(unpack(archive.subarray(0, length))).rejects.toThrow(/damaged or cut off/);
  });

  it('that is no archive at all is refused', async () => {
    await expect(unpack(Buffer.from('<html>'.repeat(500)))).rejects.toThrow(/damaged or cut off/);
  });
});
