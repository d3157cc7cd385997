import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { list } from '../system/list.ts';

/** What a bare repository's branches were at one moment: objects only become more, so this is all that a copy must take at once. */
export type Refs = { readonly head: string; readonly refs: Readonly<Record<string, string>> };

/** Of every repository in the folder, by its name. */
export function readAllRefs(repos: string): Readonly<Record<string, Refs>> {
  const names = list(repos).filter(name => name.endsWith('.git') && !name.startsWith('.'));
  return Object.fromEntries(names.map(name => [name, readRefs(join(repos, name))]));
}

/** As git does: those that lie by themselves go before the packed ones, and are read first. */
export function readRefs(repo: string): Refs {
  const loose = list(join(repo, 'refs'), { recursive: true }).flatMap(path => {
    const commit = text(join(repo, 'refs', path)).trim();
    return isObject(commit) ? [[`refs/${path}`, commit] as const] : [];
  });
  const packed = text(join(repo, 'packed-refs'))
    .split('\n')
    .flatMap(line => {
      const [commit = '', name = ''] = line.split(' ');
      return isObject(commit) && name.startsWith('refs/') ? [[name, commit] as const] : [];
    });
  return { head: text(join(repo, 'HEAD')), refs: Object.fromEntries([...packed, ...loose]) };
}

/** Makes a copied repository one of that moment, and of its user. */
export async function writeRefs(
  repo: string,
  { head, refs }: Refs,
  user: { uid: number; gid: number },
): Promise<void> {
  await rm(join(repo, 'refs'), { recursive: true, force: true });
  for (const folder of ['refs/heads', 'refs/tags']) await mkdir(join(repo, folder), { recursive: true });
  await rm(join(repo, 'packed-refs.lock'), { force: true });
  const lines = Object.entries(refs).map(([name, commit]) => `${commit} ${name}\n`);
  await writeFile(join(repo, 'packed-refs'), lines.join(''));
  if (head !== '') await writeFile(join(repo, 'HEAD'), head);
  await chown(repo, user.uid, user.gid);
  for (const path of await readdir(repo, { recursive: true }))
    await chown(join(repo, path), user.uid, user.gid).catch(error => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
}

function isObject(name: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name);
}

function text(path: string): string {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}
