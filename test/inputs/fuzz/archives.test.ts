import { lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { type Header, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { extractArchive } from '../../../src/build/archive.ts';
import { extractZip } from '../../../src/build/zip.ts';
import { type Zipped, zipOf } from '../../build/support/zips.ts';
import { always, nearly, orRefusedLater } from './property.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-fuzz-archive-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const limits = { bytes: 2 ** 20, entries: 50 };
const part = fc.constantFrom(
  'a',
  'b',
  'c',
  '..',
  '.',
  '',
  '/',
  'a\\b',
  '\n',
  'x'.repeat(300),
  '\u202e',
  '.git',
);
const path = fc.array(part, { minLength: 1, maxLength: 5 }).map(parts => parts.join('/'));
const text = fc.constantFrom('', 'x', 'y'.repeat(2000), 'z'.repeat(40_000));

/** What an archive was unpacked to is below its folder, by real paths, and beside it nothing changed. */
function expectInside(into: string): void {
  expect(readdirSync(root)).toEqual(['into']);
  for (const name of readdirSync(into, { recursive: true, encoding: 'utf8' })) {
    const file = join(into, name);
    const stats = lstatSync(file);
    expect(stats.isFile() || stats.isDirectory() || stats.isSymbolicLink(), name).toBe(true);
    expect(stats.mode & 0o7000, name).toBe(0);
    if (stats.isSymbolicLink() && leadsSomewhere(file))
      expect(`${realpathSync(file)}/`).toContain(`${into}/`);
  }
}

function leadsSomewhere(link: string): boolean {
  try {
    realpathSync(link);
    return true;
  } catch {
    return false;
  }
}

async function inFolder(work: (into: string) => Promise<void>): Promise<void> {
  const into = join(root, 'into');
  mkdirSync(into);
  try {
    await orRefusedLater(() => work(into));
    expectInside(into);
  } finally {
    rmSync(into, { recursive: true });
  }
}

describe('a tar archive', () => {
  const type = fc.constantFrom<Header['type']>(
    'file',
    'directory',
    'symlink',
    'link',
    'fifo',
    'block-device',
  );
  const entry = fc.record({ name: path, type, linkname: path, mode: fc.nat(0o7777), text });

  always('stays where it is unpacked, or is refused', {
    costs: 2,
    of: fc.array(entry, { maxLength: 8 }),
    corpus: 'tar',
    holds: async entries =>
      await inFolder(async into => {
        const stream = Readable.from([await tarOf(entries)]);
        await extractArchive({ stream, into, name: 'The archive', limits });
      }),
  });

  always('that is damaged is refused, or is all inside', {
    costs: 2,
    of: fc.constant(null).chain(() => nearly(damaged)),
    holds: async bytes =>
      await inFolder(
        async into =>
          await extractArchive({ stream: Readable.from([bytes]), into, name: 'The archive', limits }),
      ),
  });
});

describe('a zip archive', () => {
  const entry = fc.record(
    {
      name: path,
      text,
      mode: fc.constantFrom(0o100644, 0o100755, 0o040755, 0o120777, 0o020644, 0o104755, 0),
      method: fc.constantFrom(0, 8, 12),
      flags: fc.constantFrom(0, 1, 8, 0x800),
      size: fc.nat(50_000),
    },
    { requiredKeys: ['name', 'text'] },
  );
  const unpack = async (bytes: Buffer) => {
    const file = join(tmpdir(), `wherry-fuzz-${process.pid}.zip`);
    writeFileSync(file, bytes);
    try {
      await inFolder(async into => await extractZip({ file, into, name: 'The archive', limits }));
    } finally {
      rmSync(file);
    }
  };

  always('stays where it is unpacked, or is refused', {
    costs: 2,
    of: fc.array(entry, { maxLength: 8 }),
    corpus: 'zip',
    holds: async entries => await unpack(zipOf(entries as Zipped[])),
  });

  always('that is damaged is refused, or is all inside', {
    costs: 2,
    of: nearly(
      zipOf([
        { name: 'a/b.txt', text: 'hello '.repeat(40) },
        { name: 'a/run', text: 'b.txt', mode: 0o120777, method: 0 },
        { name: 'c/', mode: 0o040755 },
      ]),
    ),
    holds: unpack,
  });
});

type Entry = { name: string; type: Header['type']; linkname: string; mode: number; text: string };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const writer = pack();
  for (const { text: content, ...header } of entries)
    writer.entry(
      { ...header, ...(header.type === 'file' ? { linkname: null } : {}) } as Header,
      header.type === 'file' ? content : '',
    );
  writer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of writer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const damaged = await tarOf([
  { name: 'a/b.txt', type: 'file', linkname: '', mode: 0o644, text: 'hello '.repeat(40) },
  { name: 'a/link', type: 'symlink', linkname: 'b.txt', mode: 0o777, text: '' },
  { name: 'c', type: 'link', linkname: 'a/b.txt', mode: 0o644, text: '' },
]);
