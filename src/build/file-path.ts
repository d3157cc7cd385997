import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { Source } from '../domain/push.ts';
import { readFileBelow } from './read-file.ts';

/** A file that everybody looks for at the root, and the command that says that it lies elsewhere. */
const placed = {
  Procfile: 'ps:set APP procfile-path',
  'app.json': 'app-json:set APP appjson-path',
} as const;

/**
 * The source with the file at that path as its Procfile or app.json: whatever reads one, a buildpack of others too, looks for it
 * there.
 * @throws build-failed when there is no plain file
 */
export function withFileFrom(source: Source, name: keyof typeof placed, path: string | undefined): Source {
  if (path === undefined || path === name) return source;
  const text = readFileBelow(source.dir, path);
  if (text === undefined)
    throw new WherryError(
      'build-failed',
      `${name} ${path} is no file in commit ${source.commit.slice(0, 8)}. Push one of that name, or change it with "${placed[name]}".`,
    );
  const file = join(source.dir, name);
  rmSync(file, { recursive: true, force: true });
  writeFileSync(file, text, { flag: 'wx' });
  return source;
}
