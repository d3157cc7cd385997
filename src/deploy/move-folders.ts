import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AppName } from '../domain/names.ts';
import type { Paths } from '../system/paths.ts';

type Roots = Pick<Paths, 'repos' | 'builds' | 'buildLogs' | 'logs'>;

/**
 * Gives the folders and files that have an app's name the new one. In one go, so that nothing else runs in between; done again
 * after a crash, it does what is left to do.
 */
export function moveFolders(paths: Roots, from: AppName, to: AppName): void {
  move(join(paths.repos, `${from}.git`), join(paths.repos, `${to}.git`));
  for (const root of [paths.builds, paths.buildLogs, paths.logs]) move(join(root, from), join(root, to));
}

/** A folder that is there already, as the log that the platform wrote to meanwhile, gets what it has not. */
function move(from: string, to: string): void {
  if (!existsSync(from)) return;
  if (!existsSync(to)) {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    return;
  }
  for (const name of readdirSync(from))
    if (!existsSync(join(to, name))) renameSync(join(from, name), join(to, name));
  rmSync(from, { recursive: true, force: true });
}
