import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { Source } from '../domain/push.ts';
import { readFileBelow } from './read-file.ts';

/**
 * The source with the file at that path as its Procfile: whatever reads one, a buildpack of others too, looks for it there.
 * @throws build-failed when there is no plain file
 */
export function withProcfile(source: Source, path: string | undefined): Source {
  if (path === undefined || path === 'Procfile') return source;
  const text = readFileBelow(source.dir, path);
  if (text === undefined)
    throw new WherryError(
      'build-failed',
      `Procfile ${path} is no file in commit ${source.commit.slice(0, 8)}. Push one of that name, or change it with "ps:set APP procfile-path".`,
    );
  const file = join(source.dir, 'Procfile');
  rmSync(file, { recursive: true, force: true });
  writeFileSync(file, text, { flag: 'wx' });
  return source;
}
