import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { WherryError } from '../domain/errors.ts';

const largest = 2 ** 20;
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * A small file of an app or a buildpack as text; undefined when there is none. Links are not followed: what a repository
 * holds must not choose which host file is read.
 * @throws build-failed for a link, something else than a file, or more than `limit` bytes (1 MiB unless told)
 */
export function readSmallFile(file: string, name: string, limit = largest): string | undefined {
  const handle = openPlain(file, name);
  if (handle === undefined) return undefined;
  try {
    const stats = fstatSync(handle);
    if (!stats.isFile()) throw new WherryError('build-failed', `${name} is not a plain file. Make it one.`);
    if (stats.size > limit) {
      throw new WherryError('build-failed', `${name} is larger than ${limit / 1024} KiB. Make it smaller.`);
    }
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

export type Folder = {
  /** Contents of plain files by name. */
  readonly files: ReadonlyMap<string, string>;
  readonly folders: readonly string[];
  /** Where links say that they lead, by name; none is followed. */
  readonly links: ReadonlyMap<string, string>;
};

/**
 * What lies in a folder below `root`; empty when there is none. A build may turn any part of the path into a link to the
 * host's files, even while this runs: so each part is opened as a folder, without following links, from the one before.
 * @throws build-failed for a file of more than 1 MiB
 */
export function readFolder(root: string, path: string): Folder {
  const handle = openFolder(root, path.split('/'));
  if (handle === undefined) return { files: new Map(), folders: [], links: new Map() };
  try {
    const here = `/proc/self/fd/${handle}`;
    const entries = readdirSync(here, { withFileTypes: true });
    const names = entries.filter(entry => entry.isFile()).map(({ name }) => name);
    const files = names.flatMap(name => {
      const text = readSmallFile(`${here}/${name}`, `${path}/${name}`);
      return text === undefined ? [] : [[name, text] as const];
    });
    return {
      files: new Map(files),
      folders: entries.filter(entry => entry.isDirectory()).map(({ name }) => name),
      links: new Map(
        entries
          .filter(entry => entry.isSymbolicLink())
          .map(({ name }) => [name, readlinkSync(`${here}/${name}`)]),
      ),
    };
  } finally {
    closeSync(handle);
  }
}

/** A plain file below `root` as text, on the way to which there is no link; undefined for anything else. @throws as readSmallFile */
export function readFileBelow(root: string, path: string): string | undefined {
  const parts = path.split('/');
  const handle = openFolder(root, parts.slice(0, -1));
  if (handle === undefined) return undefined;
  try {
    const file = `/proc/self/fd/${handle}/${parts.at(-1)}`;
    const plain = lstatSync(file, { throwIfNoEntry: false })?.isFile();
    return plain ? readSmallFile(file, path) : undefined;
  } finally {
    closeSync(handle);
  }
}

function openFolder(root: string, parts: readonly string[]): number | undefined {
  let handle = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (const part of parts) {
    try {
      const next = openSync(`/proc/self/fd/${handle}/${part}`, folderFlags);
      closeSync(handle);
      handle = next;
    } catch {
      closeSync(handle);
      return undefined;
    }
  }
  return handle;
}

function openPlain(file: string, name: string): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ELOOP')
      throw new WherryError('build-failed', `${name} is a symbolic link. Replace it by the file itself.`);
    throw error;
  }
}
