import { linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { createEntryPaths, type EntryKind, writeNewFile } from './entry-paths.ts';

// What archives hold becomes files below one folder and nothing else: every path, link and kind of entry is checked before
// anything is written.

export type ArchiveLimits = {
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly entries: number;
};

export type FolderOptions = {
  /** An empty folder of ours. */
  readonly into: string;
  /** What the archive is, for messages: `Archive https://example.org/x.tgz`. */
  readonly name: string;
  readonly limits?: Partial<ArchiveLimits> | undefined;
};

export type NewFile = {
  /** Bytes, as the archive says. */
  readonly size: number;
  readonly program: boolean;
  readonly content: AsyncIterable<Buffer>;
};

export type ArchiveFolder = ReturnType<typeof createArchiveFolder>;

const usual: ArchiveLimits = { bytes: 2 ** 29, entries: 50_000 };

/** Where the entries of one archive, of whatever format, become files. Every method throws `invalid`, naming the entry. */
export function createArchiveFolder({ into, name: archive, limits }: FolderOptions) {
  const limit = { ...usual, ...limits };
  let left = limit.bytes;

  const refuse = (path: string, why: string): WherryError =>
    new WherryError('invalid', `${archive} is refused: ${quoteForPeople(path)} ${why}.`);

  const claim = (path: string, kind: EntryKind): void => {
    if (seen.has(path)) throw refuse(path, 'is in it twice');
    const folder = dirname(path);
    if (folder !== '.' && seen.get(folder) !== 'folder') throw refuse(path, 'has no folder');
    seen.set(path, kind);
  };

  const makeFolder = (path: string): void => {
    if (seen.get(path) === 'folder') return;
    claim(path, 'folder');
    mkdirSync(join(into, path), { mode: 0o755 });
  };

  const forbidden = /[\0-\x1f\x7f\ufffd]/;
  const paths = createEntryPaths({ whole: 'archive', forbidden, refuse, makeFolder });
  const { seen } = paths;

  return {
    refuse,
    /** The checked path of the next entry, whose folders exist as folders from then on. '' for the archive's own folder. */
    place(name: string): string {
      const path = paths.check(name);
      if (seen.size > limit.entries)
        throw refuse(path, `is one more than the ${limit.entries} entries that are allowed`);
      paths.reach(path);
      return path;
    },
    folder: makeFolder,
    /**
     * `..` only in front: from there it can be followed by names alone, since every folder on the way is a real one. Anywhere
     * else it could climb out of what another link leads to.
     */
    link(path: string, target: string): void {
      if (target.startsWith('/')) throw refuse(path, 'is a link to an absolute path');
      paths.checkTarget(path, target);
      const parts = target.split('/').filter(part => part !== '' && part !== '.');
      const ups = parts.findIndex(part => part !== '..');
      const climbs = ups < 0 ? parts.length : ups;
      const depth = path.split('/').length - 1;
      if (climbs > depth || parts.slice(climbs).includes('..'))
        throw refuse(path, 'is a link that leads out of the archive');
      claim(path, 'link');
      symlinkSync(target, join(into, path));
    },
    hardLink(path: string, target: string): void {
      const first = paths.check(target);
      if (seen.get(first) !== 'file') throw refuse(path, 'is a link to a file that is not in front of it');
      claim(path, 'file');
      linkSync(join(into, first), join(into, path));
    },
    /** Modes become 0755 or 0644. */
    async file(path: string, { size, program, content }: NewFile): Promise<void> {
      if (path === '') throw refuse(path, 'is not a file name');
      if (size > left)
        throw refuse(path, `makes it larger than ${Math.floor(limit.bytes / 2 ** 20)} MiB unpacked`);
      claim(path, 'file');
      await writeNewFile(join(into, path), program ? 0o755 : 0o644, content, bytes => {
        left -= bytes;
        if (left < 0) throw refuse(path, 'is larger than it says');
      });
    },
  };
}
