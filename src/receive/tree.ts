import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

export type EntryKind = 'file' | 'program' | 'link' | 'folder' | 'submodule';
export type TreeEntry = { readonly name: string; readonly kind: EntryKind; readonly oid: string };

const kinds = new Map<string, EntryKind>([
  ['100644', 'file'],
  ['100664', 'file'],
  ['100755', 'program'],
  ['120000', 'link'],
  ['40000', 'folder'],
  ['040000', 'folder'],
  ['160000', 'submodule'],
]);

/** Longest path in a repository, in bytes: under PATH_MAX with our own folders before it. */
export const longestPath = 3840;

/**
 * Reads git's tree format: `mode name NUL hash`, repeated. Every name is checked, whatever git's fsck said.
 * @throws invalid for a malformed tree or a name that must not become a path
 */
export function parseTree(tree: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < tree.length) {
    const space = tree.indexOf(0x20, at);
    const end = tree.indexOf(0, space + 1);
    if (space < 0 || end < 0 || end + 21 > tree.length)
      throw new WherryError('invalid', 'The commit holds a malformed tree. Check it with git fsck.');
    const kind = kinds.get(tree.toString('latin1', at, space));
    const name = checkName(tree.subarray(space + 1, end));
    if (!kind)
      throw new WherryError(
        'invalid',
        `File ${quoteForPeople(name)} has a mode that git does not know. Add it again.`,
      );
    entries.push({ name, kind, oid: tree.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return entries;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A name of a file or folder. @throws invalid */
export function checkName(bytes: Buffer): string {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch {
    throw refused(bytes.toString('latin1'), 'is not valid UTF-8');
  }
  if (name === '' || name === '.' || name === '..') throw refused(name, 'is not a file name');
  if (name.includes('/') || name.includes('\0')) throw refused(name, 'holds a slash');
  if (isGitFolder(name)) throw refused(name, "is git's own folder");
  if (bytes.length > 255) throw refused(name, 'is longer than 255 bytes');
  return name;
}

/** `.git` in every spelling that some file system takes for it. */
function isGitFolder(name: string): boolean {
  const plain = name
    .toLowerCase()
    .replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '')
    .replace(/[. ]+$/, '');
  return plain === '.git' || plain === 'git~1' || plain.startsWith('.git:');
}

/** Joins a checked folder and a checked name. @throws invalid past `longestPath` */
export function joinPath(folder: string, name: string): string {
  const path = folder === '' ? name : `${folder}/${name}`;
  if (Buffer.byteLength(path) > longestPath) throw refused(path, `is longer than ${longestPath} bytes`);
  return path;
}

function refused(name: string, why: string): WherryError {
  return new WherryError(
    'invalid',
    `The repository holds the name ${quoteForPeople(name)}, which ${why}. Rename or remove it.`,
  );
}
