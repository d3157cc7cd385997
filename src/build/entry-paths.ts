import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

// Archives and layers come from strangers. Where their entries may lie is decided here, for all of them: below one folder, by
// real folders alone, and nothing is ever written through a link.

/** What an entry became. */
export type EntryKind = 'file' | 'folder' | 'link';

/** The error for an entry, by its path and a reason that goes on after it. */
export type Refuse = (path: string, why: string) => WherryError;

export type EntryPaths = ReturnType<typeof createEntryPaths>;

const longestPath = 3840;
const longestName = 255;
const exclusive = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The paths of one archive's entries. Every method throws what `refuse` makes. */
export function createEntryPaths(options: {
  /** What they must not lead out of: `archive`. */
  readonly whole: string;
  /** Characters that names must not hold; NUL never reaches a file system. */
  readonly forbidden: RegExp;
  readonly refuse: Refuse;
  /** Makes a folder that only an entry inside it names. */
  readonly makeFolder: (path: string) => void;
}) {
  const { whole, forbidden, refuse, makeFolder } = options;
  const seen = new Map<string, EntryKind>([['', 'folder']]);

  return {
    /** What is at each path so far. */
    seen,
    /** A path below the folder, without `.` parts; '' for the folder itself. */
    check(name: string): string {
      if (name.startsWith('/')) throw refuse(name, 'is an absolute path');
      if (forbidden.test(name)) throw refuse(name, 'holds characters that no file name should');
      const parts = name.split('/').filter(part => part !== '' && part !== '.');
      if (parts.includes('..')) throw refuse(name, `leads out of the ${whole}`);
      const path = parts.join('/');
      if (isLong(path) || parts.some(part => Buffer.byteLength(part) > longestName))
        throw refuse(name, 'is too long');
      return path;
    },
    /** The folders on the way to a checked path exist, as folders. */
    reach(path: string): void {
      const parts = path.split('/');
      for (let depth = 1; depth < parts.length; depth += 1) {
        const folder = parts.slice(0, depth).join('/');
        const kind = seen.get(folder);
        if (kind === undefined) makeFolder(folder);
        else if (kind !== 'folder') throw refuse(path, `goes through ${kind} ${quoteForPeople(folder)}`);
      }
    },
    /** What a symbolic link at `path` says; where that leads is for whoever makes it to judge. */
    checkTarget(path: string, target: string): void {
      if (target === '' || forbidden.test(target) || isLong(target))
        throw refuse(path, 'is a link to what is no file name');
    },
  };
}

/** A file that was not there before; `count` sees the size of each piece before it is written. */
export async function writeNewFile(
  file: string,
  mode: number,
  content: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): Promise<void> {
  const handle = openSync(file, exclusive, mode);
  try {
    for await (const chunk of content) {
      count(chunk.length);
      for (let at = 0; at < chunk.length; ) at += writeSync(handle, chunk, at);
    }
  } finally {
    closeSync(handle);
  }
}

function isLong(path: string): boolean {
  return Buffer.byteLength(path) > longestPath;
}
