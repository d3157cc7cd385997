import { lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Source } from '../domain/push.ts';

/** A folder of a repository as people name it: relative, no `.` or `..`, `/` between. Also `./apps/web/`. @throws invalid */
export function parseBuildDir(text: string): string {
  const parts = text.replace(/^\.\//, '').replace(/\/+$/, '').split('/');
  const fits = parts.every(part => /^[^\p{C}\\]{1,255}$/u.test(part) && part !== '.' && part !== '..');
  if (fits && parts.length <= 32 && parts[0] !== '.git') return parts.join('/');
  throw new WherryError(
    'invalid',
    `Build directory ${quoteForPeople(text)} is not a folder inside the repository. Give for example apps/web.`,
  );
}

/** A file of a repository, by the same rules. @throws invalid */
export function parseRepositoryPath(text: string): string {
  try {
    return parseBuildDir(text);
  } catch (cause) {
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is not a file inside the repository. Give for example docker/Dockerfile.`,
      { cause },
    );
  }
}

/** The source with that folder as its root; every folder on the way is a real one. @throws build-failed */
export function insideBuildDir(source: Source, buildDir: string | undefined): Source {
  if (buildDir === undefined) return source;
  let dir = source.dir;
  for (const part of parseBuildDir(buildDir).split('/')) {
    dir = join(dir, part);
    const kind = kindOf(dir);
    if (kind === 'folder') continue;
    throw new WherryError(
      'build-failed',
      `Build directory ${buildDir} is ${kind} in commit ${source.commit.slice(0, 8)}. Push a folder of that name, or change it with builder:set.`,
    );
  }
  return { ...source, dir };
}

function kindOf(path: string): 'folder' | 'missing' | 'a symbolic link' | 'no folder' {
  let stats: Stats;
  try {
    stats = lstatSync(path);
  } catch {
    return 'missing';
  }
  if (stats.isSymbolicLink()) return 'a symbolic link';
  return stats.isDirectory() ? 'folder' : 'no folder';
}
