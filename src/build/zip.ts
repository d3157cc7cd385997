import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { WherryError } from '../domain/errors.ts';
import { type ArchiveFolder, createArchiveFolder, type FolderOptions } from './archive-folder.ts';
import { dataOf, readDirectory, type ZipEntry, ZipFault } from './zip-directory.ts';

const [stored, deflated] = [0, 8];
const encrypted = 0x0001 | 0x0040 | 0x2000;
const kinds = { mask: 0o170000, file: 0o100000, folder: 0o040000, link: 0o120000 };
const longestTarget = 4095;
const piece = 64 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** An entry, its name checked, and the part of the archive that is its alone. */
type Placed = { readonly entry: ZipEntry; readonly path: string; readonly from: number };

/**
 * Unpacks a zip archive by the rules for tar. What its directory says holds: sizes and checksums are compared, and no two
 * entries may share bytes, so that no small archive unpacks to more than one entry's worth of each of its bytes.
 * @throws invalid naming the entry that is refused, or what is wrong with the archive; `into` is then half filled
 */
export async function extractZip(options: FolderOptions & { readonly file: string }): Promise<void> {
  const folder = createArchiveFolder(options);
  const file = await open(options.file, 'r');
  try {
    const entries = await readDirectory(file);
    const placed: Placed[] = [];
    for (const entry of entries) {
      const name = nameOf(entry, folder);
      checkWay(entry, name, folder);
      placed.push({ entry, path: name, from: await dataOf(file, entry) });
    }
    refuseShared(placed, folder);
    for (const each of placed) await take(file, each, folder);
  } catch (error) {
    if (!(error instanceof ZipFault)) throw error;
    throw new WherryError(
      'invalid',
      `${options.name} is no zip archive that can be read: it ${error.message}.`,
      {
        cause: error,
      },
    );
  } finally {
    await file.close();
  }
}

function nameOf({ name }: ZipEntry, { refuse }: ArchiveFolder): string {
  let text: string;
  try {
    text = utf8.decode(name);
  } catch {
    throw refuse(name.toString('latin1'), 'is not a name in UTF-8');
  }
  if (text.includes('\\')) throw refuse(text, 'holds a backslash, which some take for a slash');
  return text;
}

function checkWay({ flags, method }: ZipEntry, name: string, { refuse }: ArchiveFolder): void {
  if ((flags & encrypted) !== 0) throw refuse(name, 'is encrypted. Send an archive without a password');
  if (method !== stored && method !== deflated)
    throw refuse(name, `is compressed by method ${method}. Use deflate, as every zip program can`);
}

function refuseShared(placed: readonly Placed[], { refuse }: ArchiveFolder): void {
  let end = 0;
  for (const { entry, path, from } of [...placed].sort((a, b) => a.entry.at - b.entry.at)) {
    if (entry.at < end) throw refuse(path, 'shares its bytes with another entry');
    end = from + entry.packed;
  }
}

async function take(
  file: FileHandle,
  { entry, path: name, from }: Placed,
  folder: ArchiveFolder,
): Promise<void> {
  const path = folder.place(name);
  const kind = entry.mode & kinds.mask;
  if (name.endsWith('/') || kind === kinds.folder) {
    if (entry.size > 0) throw folder.refuse(name, 'is a folder with content');
    return folder.folder(path);
  }
  if (path === '') throw folder.refuse(name, 'is not a file name');
  const content = contentOf(file, entry, from, why => folder.refuse(path, why));
  if (kind === kinds.link) return folder.link(path, await targetOf(content, entry, path, folder));
  if (kind !== kinds.file && kind !== 0) throw folder.refuse(path, 'is neither file, folder nor link');
  await folder.file(path, { size: entry.size, program: (entry.mode & 0o111) !== 0, content });
}

/** The entry's bytes unpacked, which fail unless they are as many as it says and have its checksum. */
async function* contentOf(
  file: FileHandle,
  { packed, size, crc, method }: ZipEntry,
  from: number,
  refuse: (why: string) => WherryError,
): AsyncGenerator<Buffer> {
  if (packed === 0 && size > 0) throw refuse('is damaged');
  if (packed === 0) return;
  const raw = Readable.from(readRange(file, from, packed));
  const plain = method === deflated ? raw.pipe(createInflateRaw()) : raw;
  if (plain !== raw) raw.on('error', error => plain.destroy(error));
  let [left, sum] = [size, 0];
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      left -= chunk.length;
      if (left < 0) throw refuse('is larger than it says');
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof WherryError) throw error;
    throw refuse('is damaged');
  } finally {
    raw.destroy();
    plain.destroy();
  }
  if (left > 0 || sum !== crc) throw refuse('is damaged');
}

async function* readRange(file: FileHandle, from: number, length: number): AsyncGenerator<Buffer> {
  for (let at = from; at < from + length; ) {
    const { buffer, bytesRead } = await file.read(
      Buffer.allocUnsafe(Math.min(piece, from + length - at)),
      0,
      null,
      at,
    );
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function targetOf(
  content: AsyncIterable<Buffer>,
  { size }: ZipEntry,
  path: string,
  { refuse }: ArchiveFolder,
): Promise<string> {
  if (size > longestTarget) throw refuse(path, 'is a link to what is no file name');
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
