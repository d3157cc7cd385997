import { closeSync, fchmodSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Submodule } from '../domain/push.ts';
import { checkLinks } from './links.ts';
import type { ObjectHeader, ObjectReader } from './objects.ts';
import { joinPath, parseTree } from './tree.ts';

export type CheckoutLimits = {
  /** Bytes of all files together. */
  readonly bytes: number;
  /** Files, folders and links together. */
  readonly entries: number;
};

export const checkoutLimits: CheckoutLimits = { bytes: 2 * 2 ** 30, entries: 200_000 };

const longestTarget = 4095;
/** Up to this size a file is written at once; larger ones in pieces, with back-pressure to git. */
const smallFile = 64 * 1024;

type Listing = {
  readonly folders: string[];
  readonly files: { path: string; oid: string; kind: 'file' | 'program' | 'link' }[];
  readonly submodules: Submodule[];
};

/**
 * Writes a tree into the empty folder `dir`. Links are made last, so that nothing is ever written through one;
 * permissions are 644 or 755, owners are ours. Submodules, which are told, are empty folders.
 * @throws invalid for a name, link, size or number of files that is not allowed
 */
export async function checkoutTree(options: {
  readonly objects: ObjectReader;
  readonly tree: string;
  readonly dir: string;
  readonly limits?: CheckoutLimits;
}): Promise<readonly Submodule[]> {
  const { objects, dir, limits = checkoutLimits } = options;
  const listing = await listTree(objects, options.tree, limits);
  const empty = listing.submodules.map(({ path }) => path);
  for (const path of [...listing.folders, ...empty]) await mkdir(join(dir, path), { mode: 0o755 });
  const links = await writeFiles(listing, { objects, dir, limits });
  checkLinks(links);
  for (const [path, target] of links) await symlink(target, join(dir, path));
  return listing.submodules;
}

/** The whole tree, level by level, one round trip to git for each; counted before it grows. */
async function listTree(objects: ObjectReader, root: string, limits: CheckoutLimits): Promise<Listing> {
  const listing: Listing = { folders: [], files: [], submodules: [] };
  let level = [{ path: '', oid: root }];
  let count = 0;
  while (level.length > 0) {
    objects.ask(level.map(folder => folder.oid));
    const next: typeof level = [];
    for (const folder of level) {
      const header = await objects.next();
      if (header.type !== 'tree')
        throw new WherryError('invalid', 'The commit holds a folder that is none. Check it with git fsck.');
      const entries = parseTree(await objects.body(header));
      count += entries.length;
      if (count > limits.entries) {
        throw new WherryError(
          'invalid',
          `The repository holds more than ${limits.entries} files. Leave out what need not be deployed.`,
        );
      }
      for (const { name, kind, oid } of entries) {
        const path = joinPath(folder.path, name);
        if (kind === 'folder') {
          next.push({ path, oid });
          listing.folders.push(path);
        } else if (kind === 'submodule') listing.submodules.push({ path, commit: oid });
        else listing.files.push({ path, oid, kind });
      }
    }
    level = next;
  }
  return listing;
}

/** Writes all files, and returns the links with their targets. */
async function writeFiles(
  listing: Listing,
  { objects, dir, limits }: { objects: ObjectReader; dir: string; limits: CheckoutLimits },
): Promise<Map<string, string>> {
  const links = new Map<string, string>();
  let bytes = 0;
  objects.ask(listing.files.map(file => file.oid));
  for (const { path, kind } of listing.files) {
    const header = await objects.next();
    bytes += header.size;
    if (bytes > limits.bytes) {
      throw new WherryError(
        'invalid',
        `The files of the repository take more than ${limits.bytes / 2 ** 20} MB. Leave out what need not be deployed.`,
      );
    }
    if (header.type !== 'blob')
      throw new WherryError('invalid', `File ${quoteForPeople(path)} is not a file. Check it with git fsck.`);
    if (kind === 'link') links.set(path, await readTarget(objects, header, path));
    else
      await writeFile(objects, header, { file: join(dir, path), mode: kind === 'program' ? 0o755 : 0o644 });
  }
  return links;
}

async function readTarget(objects: ObjectReader, header: ObjectHeader, path: string): Promise<string> {
  if (header.size > longestTarget) {
    throw new WherryError(
      'invalid',
      `Symbolic link ${quoteForPeople(path)} has a target of ${header.size} bytes. Remove it.`,
    );
  }
  const target = await objects.body(header);
  if (target.length === 0 || target.includes(0)) {
    throw new WherryError('invalid', `Symbolic link ${quoteForPeople(path)} has no valid target. Remove it.`);
  }
  return target.toString('utf8');
}

/** The mode is set again after opening, whatever the umask. `wx` refuses a name that is there already. */
async function writeFile(
  objects: ObjectReader,
  header: ObjectHeader,
  { file, mode }: { file: string; mode: number },
): Promise<void> {
  if (header.size <= smallFile) {
    // Synchronous: for small files several times cheaper than four trips to the thread pool.
    const body = await objects.body(header);
    const descriptor = openSync(file, 'wx', mode);
    try {
      fchmodSync(descriptor, mode);
      writeAll(descriptor, body);
    } finally {
      closeSync(descriptor);
    }
    return;
  }
  const handle: FileHandle = await open(file, 'wx', mode);
  try {
    await handle.chmod(mode);
    await objects.pour(header, part => handle.writeFile(part));
  } finally {
    await handle.close();
  }
}

function writeAll(descriptor: number, body: Buffer): void {
  let at = 0;
  while (at < body.length) at += writeSync(descriptor, body, at);
}
