import {
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { ExecError, exec } from '../system/exec.ts';
import type { Paths } from '../system/paths.ts';
import { checkoutLimits } from './checkout.ts';
import { type Git, gitEnvironment } from './git.ts';
import { makeScratch } from './scratch.ts';

export type Kept = {
  readonly git: Pick<Git, 'user'>;
  readonly paths: Paths;
  readonly repo: string;
  readonly quarantine?: string | undefined;
  readonly commit: string;
  /** That it is the head of. */
  readonly branch: string;
  /** Object by ref, of tags that came with it and are not the repository's yet. */
  readonly tags?: ReadonlyMap<string, string>;
  /** With the commit's files. */
  readonly dir: string;
  readonly signal?: AbortSignal;
};

type RunGit = (args: readonly string[], input?: string) => Promise<string>;

/** Milliseconds that one of its steps may take. */
const longest = 600_000;
/** So that the same commits make the same pack. */
const oneThread = ['--threads=1'];
const config = '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n';

/**
 * Gives a checked-out commit the folder of git's own: the commits that led to it, the tags among them, and an index, so that
 * `git describe` and `git log` say in a build what they say to whoever pushed. Nothing of the repository's settings is in it.
 * @throws invalid when commits are missing or they take too much room
 */
export async function keepHistory(kept: Kept): Promise<void> {
  const { git, paths, repo, quarantine, commit, branch, dir, signal } = kept;
  const env = gitEnvironment(paths, { repo, quarantine });
  const run: RunGit = async (args, input = '') => {
    const options = { cwd: repo, env, input, timeout: longest, ...git.user, ...(signal ? { signal } : {}) };
    return (await exec('git', args, options)).stdout;
  };
  const scratch = await makeScratch(repo, git.user);
  const own = join(dir, '.git');
  try {
    const tags = await tagsIn(run, kept);
    await run(
      ['pack-objects', '--revs', '--quiet', ...oneThread, join(scratch, 'pack')],
      `${[commit, ...tags.values()].join('\n')}\n`,
    );
    await run(['read-tree', `--index-output=${join(scratch, 'index')}`, commit]);
    for (const folder of ['objects/pack', 'refs/heads', 'refs/tags'])
      await mkdir(join(own, folder), { recursive: true, mode: 0o755 });
    await bring(scratch, own);
    const refs = [`${commit} refs/heads/${branch}`, ...[...tags].map(([name, oid]) => `${oid} ${name}`)];
    await writeFile(join(own, 'packed-refs'), `${refs.join('\n')}\n`);
    await writeFile(join(own, 'HEAD'), `ref: refs/heads/${branch}\n`);
    await writeFile(join(own, 'config'), config);
    await bringShallow(repo, own);
  } catch (error) {
    signal?.throwIfAborted();
    throw explain(error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Object by ref, of the tags among the commits. */
async function tagsIn(
  run: RunGit,
  { commit, tags: fresh = new Map() }: Kept,
): Promise<ReadonlyMap<string, string>> {
  const format = '--format=%(objectname) %(refname)';
  const known = await run(['for-each-ref', '--merged', commit, format, 'refs/tags']);
  const tags = new Map(known.split('\n').flatMap(readRef));
  for (const [ref, oid] of fresh) {
    if (await isMerged(run, oid, commit)) tags.set(ref, oid);
    else tags.delete(ref);
  }
  return tags;
}

function readRef(line: string): [string, string][] {
  const [, oid, ref] = /^([0-9a-f]{40}) (refs\/tags\/.+)$/.exec(line) ?? [];
  return oid === undefined || ref === undefined ? [] : [[ref, oid]];
}

async function isMerged(run: RunGit, oid: string, commit: string): Promise<boolean> {
  try {
    await run(['merge-base', '--is-ancestor', oid, commit]);
    return true;
  } catch (error) {
    // A tag may be of a file, too.
    if (error instanceof ExecError && error.exitCode !== 0 && !error.timedOut) return false;
    throw error;
  }
}

/** Git walks all commits: the first that is missing ends it. */
function explain(error: unknown): unknown {
  if (!(error instanceof ExecError) || error.exitCode !== 128 || error.timedOut) return error;
  return new WherryError(
    'invalid',
    'keep-git-dir is true, and commits before this one are missing. Push from a whole clone (git fetch --unshallow), or unset keep-git-dir.',
    { cause: error },
  );
}

async function bring(scratch: string, own: string): Promise<void> {
  let bytes = 0;
  for (const name of await readdir(scratch)) {
    const packed = /^pack-[0-9a-f]{40}\.(pack|idx)$/.test(name);
    const stats = await lstat(join(scratch, name));
    if (!(packed || name === 'index') || !stats.isFile()) continue;
    bytes += stats.size;
    if (bytes > checkoutLimits.bytes)
      throw new WherryError(
        'invalid',
        `keep-git-dir is true, and the commits take more than ${checkoutLimits.bytes / 2 ** 20} MB. Unset it.`,
      );
    await move(join(scratch, name), join(own, packed ? 'objects/pack' : '', name));
  }
}

/** From git's user to ours. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(from, to);
  }
  await chown(to, 0, 0);
  await chmod(to, 0o644);
}

/** Of a repository whose first commits were never pushed: where its history begins. */
async function bringShallow(repo: string, own: string): Promise<void> {
  const from = join(repo, 'shallow');
  const stats = await lstat(from).catch(() => undefined);
  if (stats?.isFile()) await writeFile(join(own, 'shallow'), await readFile(from));
}
