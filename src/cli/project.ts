import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseRemote, type Remote } from './remote.ts';

/** What the folder that a person is in says: which app it is, and where that runs. */
export type Project = { readonly remote: Remote; readonly app: string };

/** The git remote named `wherry`, else `dokku`, of the repository that the folder is in. */
export async function findProject(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Project | undefined> {
  // Asking git takes a process: only where there may be an answer.
  if (!isInRepository(folder)) return undefined;
  const urls = await remoteUrls(folder, env);
  const url = urls.get('remote.wherry.url') ?? urls.get('remote.dokku.url');
  return url === undefined ? undefined : parseRemote(url);
}

function isInRepository(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true;
    if (at === dirname(at)) return false;
  }
}

async function remoteUrls(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlyMap<string, string>> {
  const { ExecError, exec } = await import('../system/exec.ts');
  const kept = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  try {
    const { stdout } = await exec(
      'git',
      ['config', '-z', '--get-regexp', '^remote\\.(wherry|dokku)\\.url$'],
      { cwd: folder, env: Object.fromEntries(kept), timeout: 5000 },
    );
    return new Map(
      stdout.split('\0').flatMap(entry => {
        const end = entry.indexOf('\n');
        return end < 0 ? [] : [[entry.slice(0, end), entry.slice(end + 1)] as const];
      }),
    );
  } catch (error) {
    // Without git, without such a remote, or in a folder that git does not trust: no project.
    if (error instanceof ExecError) return new Map();
    throw error;
  }
}
