import type { FileHandle } from 'node:fs/promises';

// The parts of APPNOTE.TXT (PKWARE's ZIP File Format Specification 6.3) that archives of source code use: one disk, no
// encryption, fewer than 65,535 entries, below 4 GiB.

/** One entry as the central directory describes it. */
export type ZipEntry = {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Bytes in the archive, and unpacked. */
  readonly packed: number;
  readonly size: number;
  /** Permissions and kind as Unix knows them; 0 where the archive was made elsewhere. */
  readonly mode: number;
  /** Where its local header is. */
  readonly at: number;
};

const endRecord = 0x06054b50;
const entryRecord = 0x02014b50;
const localRecord = 0x04034b50;
const longestComment = 65_535;
/** Of the directory: 50,000 entries with names and extra fields of usual length, twice over. */
const largestDirectory = 32 * 2 ** 20;
const [unix, darwin] = [3, 19];

/** Why a file is no zip archive that can be read: the end of a sentence that its reader begins. */
export class ZipFault extends Error {}

/** Reads the central directory, which is where a zip says what it holds. @throws ZipFault */
export async function readDirectory(file: FileHandle): Promise<readonly ZipEntry[]> {
  const { size: total } = await file.stat();
  const tail = await readAt(
    file,
    Math.max(0, total - longestComment - 22),
    Math.min(total, longestComment + 22),
  );
  const end = findEnd(tail);
  if (end === undefined) throw new ZipFault('is damaged or cut off. Make it again');
  const [disk, first, here, count] = [4, 6, 8, 10].map(at => end.readUInt16LE(at));
  const [bytes, at] = [end.readUInt32LE(12), end.readUInt32LE(16)];
  if (count === 0xffff || bytes === 0xffffffff || at === 0xffffffff)
    throw new ZipFault('is in the ZIP64 format. Send a tar.gz');
  if (disk !== 0 || first !== 0 || here !== count)
    throw new ZipFault('is one of several parts. Send one file');
  if (bytes > largestDirectory) throw new ZipFault('holds too many names. Send fewer files');
  if (at + bytes > total) throw new ZipFault('is damaged or cut off. Make it again');
  return parseEntries(await readAt(file, at, bytes), count ?? 0);
}

/** Where an entry's bytes begin. @throws ZipFault when its own header tells another name than the directory */
export async function dataOf(file: FileHandle, entry: ZipEntry): Promise<number> {
  const header = await readAt(file, entry.at, 30 + entry.name.length);
  if (header.readUInt32LE(0) !== localRecord || !header.subarray(30).equals(entry.name))
    throw new ZipFault('tells one thing in its directory and another in its entries. Make it again');
  if (header.readUInt16LE(26) !== entry.name.length)
    throw new ZipFault('tells one thing in its directory and another in its entries. Make it again');
  return entry.at + 30 + entry.name.length + header.readUInt16LE(28);
}

/** The last end record whose comment fills the file to its end. */
function findEnd(tail: Buffer): Buffer | undefined {
  for (let at = tail.length - 22; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== endRecord) continue;
    if (at + 22 + tail.readUInt16LE(at + 20) === tail.length) return tail.subarray(at);
  }
  return undefined;
}

function parseEntries(directory: Buffer, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== entryRecord)
      throw new ZipFault('has a damaged directory. Make it again');
    const [name = 0, extra = 0, comment = 0] = [28, 30, 32].map(field => directory.readUInt16LE(at + field));
    const next = at + 46 + name + extra + comment;
    if (next > directory.length) throw new ZipFault('has a damaged directory. Make it again');
    const madeBy = directory.readUInt8(at + 5);
    entries.push({
      name: directory.subarray(at + 46, at + 46 + name),
      flags: directory.readUInt16LE(at + 8),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      mode: madeBy === unix || madeBy === darwin ? directory.readUInt16LE(at + 40) : 0,
      at: directory.readUInt32LE(at + 42),
    });
    at = next;
  }
  return entries;
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  if (bytesRead !== length) throw new ZipFault('is damaged or cut off. Make it again');
  return buffer;
}
