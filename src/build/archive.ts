import { closeSync, constants, linkSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Extract, extract } from 'tar-stream';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

// Archives come from strangers. What they hold becomes files below one folder and nothing else: every path, link and kind of
// entry is checked before anything is written, and nothing is ever written through a link.

export type ExtractOptions = {
  /** Plain tar; whoever calls has taken the compression away. */
  readonly stream: Readable;
  /** An empty folder of ours. */
  readonly into: string;
  /** What it is, for messages: `Archive https://example.org/x.tgz`. */
  readonly name: string;
  readonly limits?: Partial<ArchiveLimits>;
};

export type ArchiveLimits = {
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly entries: number;
};

const usual: ArchiveLimits = { bytes: 2 ** 29, entries: 50_000 };
const longestPath = 3840;
const exclusive = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

type Kind = 'file' | 'folder' | 'link';
type Entry = Extract extends AsyncIterable<infer Item> ? Item : never;
type State = ExtractOptions & {
  readonly limit: ArchiveLimits;
  readonly seen: Map<string, Kind>;
  readonly refuse: (path: string, why: string) => WherryError;
  left: number;
};

/**
 * Unpacks a tar stream: plain files, folders, links that stay inside. Modes become 0755 or 0644, owners and times are dropped.
 * @throws invalid naming the entry that is refused, or when the archive is cut off or too large; `into` is then half filled
 */
export async function extractArchive(options: ExtractOptions): Promise<void> {
  const limit = { ...usual, ...options.limits };
  const state: State = {
    ...options,
    limit,
    left: limit.bytes,
    seen: new Map<string, Kind>([['', 'folder']]),
    refuse: (path, why) =>
      new WherryError('invalid', `${options.name} is refused: ${quoteForPeople(path)} ${why}.`),
  };
  const reader = extract();
  const end = watchEnd(options.stream);
  options.stream.on('error', error => reader.destroy(error));
  options.stream.pipe(reader);
  try {
    for await (const entry of reader) await take(state, entry);
  } catch (error) {
    if (error instanceof WherryError) throw error;
    throw cutOff(options.name, error);
  } finally {
    options.stream.destroy();
  }
  if (!end.complete()) throw cutOff(options.name);
}

async function take(state: State, entry: Entry): Promise<void> {
  const { name, type, size } = entry.header;
  const path = checkPath(state, name);
  if (state.seen.size > state.limit.entries)
    throw state.refuse(path, `is one more than the ${state.limit.entries} entries that are allowed`);
  if ((size ?? 0) > state.left)
    throw state.refuse(path, `makes it larger than ${Math.floor(state.limit.bytes / 2 ** 20)} MiB unpacked`);
  if (path === '' && type !== 'directory') throw state.refuse(name, 'is not a file name');
  if (path !== '') place(state, path);
  if (type === 'directory') makeFolder(state, path);
  else if (type === 'symlink') makeLink(state, path, entry.header.linkname ?? '');
  else if (type === 'link') makeHardLink(state, path, entry.header.linkname ?? '');
  else if (type === 'file' || type === 'contiguous-file') return await writeFile(state, path, entry);
  else throw state.refuse(path, `is a ${type ?? 'entry of unknown kind'}, not a file, folder or link`);
  entry.resume();
}

/** A path below the folder, without `.` parts; '' for the folder itself. */
function checkPath({ refuse }: State, name: string): string {
  if (name.startsWith('/')) throw refuse(name, 'is an absolute path');
  if (/[\0-\x1f\x7f\ufffd]/.test(name)) throw refuse(name, 'holds characters that no file name should');
  const parts = name.split('/').filter(part => part !== '' && part !== '.');
  if (parts.includes('..')) throw refuse(name, 'leads out of the archive');
  const path = parts.join('/');
  if (Buffer.byteLength(path) > longestPath || parts.some(part => Buffer.byteLength(part) > 255))
    throw refuse(name, 'is too long');
  return path;
}

/** Its folders exist as folders, and nothing else has its name. */
function place(state: State, path: string): void {
  const parts = path.split('/');
  for (let depth = 1; depth < parts.length; depth += 1) {
    const folder = parts.slice(0, depth).join('/');
    const kind = state.seen.get(folder);
    if (kind === undefined) makeFolder(state, folder);
    else if (kind !== 'folder') throw state.refuse(path, `goes through ${kind} ${quoteForPeople(folder)}`);
  }
}

function makeFolder(state: State, path: string): void {
  const kind = state.seen.get(path);
  if (kind === 'folder') return;
  claim(state, path, 'folder');
  mkdirSync(join(state.into, path), { mode: 0o755 });
}

/**
 * `..` only in front: from there it can be followed by names alone, since every folder on the way is a real one. Anywhere
 * else it could climb out of what another link leads to.
 */
function makeLink(state: State, path: string, target: string): void {
  if (target === '' || target.startsWith('/')) throw state.refuse(path, 'is a link to an absolute path');
  if (/[\0-\x1f\x7f\ufffd]/.test(target) || Buffer.byteLength(target) > longestPath)
    throw state.refuse(path, 'is a link to what is no file name');
  const parts = target.split('/').filter(part => part !== '' && part !== '.');
  const ups = parts.findIndex(part => part !== '..');
  const climbs = ups < 0 ? parts.length : ups;
  const depth = path.split('/').length - 1;
  if (climbs > depth || parts.slice(climbs).includes('..'))
    throw state.refuse(path, 'is a link that leads out of the archive');
  claim(state, path, 'link');
  symlinkSync(target, join(state.into, path));
}

function makeHardLink(state: State, path: string, target: string): void {
  const first = checkPath(state, target);
  if (state.seen.get(first) !== 'file')
    throw state.refuse(path, 'is a link to a file that is not in front of it');
  claim(state, path, 'file');
  linkSync(join(state.into, first), join(state.into, path));
}

async function writeFile(state: State, path: string, entry: Entry): Promise<void> {
  claim(state, path, 'file');
  const mode = ((entry.header.mode ?? 0) & 0o111) === 0 ? 0o644 : 0o755;
  const handle = openSync(join(state.into, path), exclusive, mode);
  try {
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      state.left -= chunk.length;
      if (state.left < 0) throw state.refuse(path, 'is larger than it says');
      for (let at = 0; at < chunk.length; ) at += writeSync(handle, chunk, at);
    }
  } finally {
    closeSync(handle);
  }
}

function claim(state: State, path: string, kind: Kind): void {
  if (state.seen.has(path)) throw state.refuse(path, 'is in it twice');
  const folder = dirname(path);
  if (folder !== '.' && state.seen.get(folder) !== 'folder') throw state.refuse(path, 'has no folder');
  state.seen.set(path, kind);
}

/** A whole tar ends with two blocks of zeros; without them it may have been cut between two files. */
function watchEnd(stream: Readable) {
  let zeros = 0;
  stream.on('data', (chunk: Buffer) => {
    let at = chunk.length;
    while (at > 0 && chunk[at - 1] === 0) at -= 1;
    zeros = at === 0 ? zeros + chunk.length : chunk.length - at;
  });
  return { complete: () => zeros >= 1024 };
}

function cutOff(name: string, cause?: unknown): WherryError {
  return new WherryError(
    'invalid',
    `${name} is no whole tar archive: it is damaged or cut off. Make it again.`,
    {
      cause,
    },
  );
}
