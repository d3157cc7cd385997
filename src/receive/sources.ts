import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { Source } from '../domain/push.ts';
import type { Paths } from '../system/paths.ts';
import { checkoutTree } from './checkout.ts';
import { readCommit } from './commit.ts';
import type { Git } from './git.ts';
import { type Kept, keepHistory } from './history.ts';
import { ObjectReader } from './objects.ts';

/** Checked-out trees on their way to the builder. */
export function incomingDir(paths: Paths): string {
  return join(paths.builds, '.incoming');
}

/** An empty folder for sources; what an earlier daemon left in it is removed. */
export async function openIncoming(paths: Paths): Promise<void> {
  await rm(incomingDir(paths), { recursive: true, force: true });
  await mkdir(incomingDir(paths), { recursive: true, mode: 0o700 });
}

/**
 * Checks out a commit, quarantined or not, into a fresh folder.
 * @throws not-found for an unknown commit, invalid for a tree that must not be deployed; nothing is left then
 */
export async function takeSource(options: {
  readonly git: Git;
  readonly paths: Paths;
  readonly repo: string;
  readonly quarantine?: string | undefined;
  readonly commit: string;
  /** For a source that has git's own folder too. */
  readonly history?: Pick<Kept, 'branch' | 'tags'> | undefined;
  readonly signal?: AbortSignal;
}): Promise<Source> {
  const { git, repo, quarantine, commit, signal } = options;
  const begun = performance.now();
  const dir = join(incomingDir(options.paths), randomBytes(12).toString('hex'));
  const objects = new ObjectReader(git, { repo, quarantine, ...(signal ? { signal } : {}) });
  try {
    await mkdir(dir, { recursive: true });
    await chmod(dir, 0o755);
    const { tree, subject } = await readCommit(objects, commit);
    const submodules = await checkoutTree({ objects, tree, dir });
    if (options.history) await keepHistory({ ...options, ...options.history, dir });
    return { commit, subject, dir, checkoutMs: performance.now() - begun, submodules };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    signal?.throwIfAborted();
    throw explain(error);
  } finally {
    objects.close();
  }
}

function explain(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new WherryError('failed', 'The disk of the server is full. Free some space there and push again.', {
    cause: error,
  });
}
