import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { Store } from '../store/store.ts';
import { exec } from '../system/exec.ts';
import { list } from '../system/list.ts';
import { unmountBelow } from '../system/mounts.ts';
import type { Paths } from '../system/paths.ts';
import type { Manifest } from './manifest.ts';
import { readRefs, writeRefs } from './refs.ts';

export type PlaceOptions = {
  readonly paths: Paths;
  /** The user that repositories belong to. */
  readonly gitUser: { readonly uid: number; readonly gid: number };
  /** Makes storage of a size, empty and mounted; its folder. */
  readonly makeVolume: (name: string, size: number) => Promise<string>;
  /** The database of the folder, opened with the key there. */
  readonly openStore: (files: { database: string; secretKey: string }) => Store;
  /** A secret.key for a backup without its own. */
  readonly keyFile?: string | undefined;
};

/** Where a backup is unpacked: on the same file system, so that what is large only gets another name. */
export const unpackedIn = (data: string): string => join(data, '.restoring');

/** What lies as it did; repositories, layers, storage and the database have their own ways. */
const plain = ['host-keys', 'plugins', 'builds', 'builds-log'] as const;

/** @throws failed when it is none of this program's */
export async function readManifest(unpacked: string, stage: string): Promise<Manifest> {
  const file = join(unpacked, stage, 'manifest.json');
  const manifest = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Manifest) : undefined;
  if (manifest?.format === 1) return manifest;
  throw new WherryError(
    'failed',
    'This backup was made by another version of Wherry. Restore it with that one.',
  );
}

/** Deletes what a restore that was cut off had put in its place already: it had no database yet. */
export async function clearCut({ data, storage, database }: Paths): Promise<void> {
  if (!existsSync(unpackedIn(data)) || existsSync(database)) return;
  await unmountBelow(storage);
  for (const name of [...plain, 'repos', 'layers', 'storage', 'storage-images', 'secret.key'])
    await rm(join(data, name), { recursive: true, force: true });
  await rm(unpackedIn(data), { recursive: true, force: true });
}

/** Puts what was unpacked where it belongs. The database comes last: until then there is no Wherry here. */
export async function place(
  manifest: Manifest,
  stage: string,
  { paths, gitUser, makeVolume, openStore, keyFile }: PlaceOptions,
): Promise<void> {
  const unpacked = unpackedIn(paths.data);
  const from = join(unpacked, manifest.data);
  const staged = join(unpacked, stage);
  const secretKey = join(staged, 'secret.key');
  if (!manifest.hasKey) await takeKey(keyFile, secretKey);
  const database = join(staged, 'wherry.db');
  const store = openStore({ database, secretKey });
  const known = new Set(store.apps.list().map(app => `${app.name}.git`));
  store.close();

  await mkdir(paths.layers, { recursive: true, mode: 0o755 });
  for (const home of [join(from, 'layers'), join(unpacked, manifest.cache, 'layers')]) {
    for (const name of list(home)) await rename(join(home, name), join(paths.layers, name));
  }
  for (const name of list(join(from, 'repos'))) {
    const repo = join(from, 'repos', name);
    // One of an app that was made, renamed or destroyed meanwhile is as the database says.
    if (known.has(name)) await writeRefs(repo, manifest.repos[name] ?? readRefs(repo), gitUser);
    else await rm(repo, { recursive: true });
  }
  await moveIn(join(from, 'repos'), paths.repos);
  for (const name of plain) await moveIn(join(from, name), join(paths.data, name));
  for (const volume of manifest.volumes) {
    const content = join(from, 'storage', volume.name);
    if (volume.size === null) await moveIn(content, join(paths.storage, volume.name));
    else await fill(await makeVolume(volume.name, volume.size), content);
  }
  await rename(secretKey, paths.secretKey);
  await rename(database, paths.database);
  await rm(unpacked, { recursive: true, force: true });
}

/** @throws invalid */
async function takeKey(file: string | undefined, to: string): Promise<void> {
  if (file === undefined)
    throw new WherryError('invalid', 'This backup is without the key that config is sealed with.', {
      hint: 'Give the secret.key of its time: --secret-key FILE',
    });
  await copyFile(file, to).catch(cause => {
    throw new WherryError('invalid', `${file} cannot be read: ${(cause as Error).message}`, { cause });
  });
  await chmod(to, 0o600);
}

async function moveIn(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await mkdir(join(to, '..'), { recursive: true, mode: 0o711 });
  // A repository's home is there with nothing in it where a daemon was started before.
  if (existsSync(to) && (await readdir(to)).length === 0) await rm(to, { recursive: true });
  await rename(from, to);
}

async function fill(folder: string, content: string): Promise<void> {
  await exec('cp', ['-a', '--', `${content}/.`, folder], { timeout: 3_600_000 });
}
