import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { Arguments } from './arguments.ts';
import { findProject, type Project } from './project.ts';
import { parseHost, type Remote } from './remote.ts';

/** Where a command goes, with the app of the folder that the person is in. */
export type Destination =
  | { readonly kind: 'socket'; readonly path: string; readonly app: string | undefined }
  | { readonly kind: 'ssh'; readonly remote: Remote; readonly app: string | undefined };

type Env = Readonly<Record<string, string | undefined>>;

/**
 * `--data`, then WHERRY_HOST, then the daemon of this host (WHERRY_DATA says that there is one), then the git remote of the folder.
 * @throws invalid
 */
export async function findDestination(
  { data, isLocal }: Pick<Arguments, 'data' | 'isLocal'>,
  { folder, env }: { readonly folder: string; readonly env: Env },
): Promise<Destination> {
  const project = await findProject(folder, env);
  const app = project?.app;
  const remote = isLocal ? undefined : chosen(env, project, join(data, 'control.sock'));
  return remote ? { kind: 'ssh', remote, app } : { kind: 'socket', path: join(data, 'control.sock'), app };
}

function chosen(env: Env, project: Project | undefined, socket: string): Remote | undefined {
  const named = env['WHERRY_HOST'];
  if (named) {
    const remote = parseHost(named);
    if (remote) return remote;
    throw new WherryError(
      'invalid',
      `WHERRY_HOST is ${JSON.stringify(named)}, which is no host. Give it as example.org or wherry@example.org:2222.`,
    );
  }
  return env['WHERRY_DATA'] || mayUse(socket) ? undefined : project?.remote;
}

/** Whether the socket is there, and this person's to use. */
function mayUse(socket: string): boolean {
  try {
    accessSync(socket, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
