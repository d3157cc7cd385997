import { join } from 'node:path';
import { spawn } from '../system/exec.ts';
import { hardenedGitEnv } from '../system/git-env.ts';
import type { Paths } from '../system/paths.ts';
import type { SystemUser } from '../system/system-user.ts';
import { hooksDir } from './hook.ts';

export type GitProcess = ReturnType<typeof spawn>;

/** Starts the system's git for one repository, hardened and as its own user. */
export type Git = {
  readonly user: SystemUser;
  start(args: readonly string[], options: GitOptions): GitProcess;
};

export type GitOptions = {
  /** The repository's path. */
  readonly repo: string;
  readonly stdio: 'pipe' | ('pipe' | 'ignore')[];
  /** As the client sent it, checked. */
  readonly protocol?: string | undefined;
  /** Objects of a push that is not accepted yet. */
  readonly quarantine?: string | undefined;
};

/** Largest pack taken, in bytes. */
const largestPack = 2 ** 30;

/**
 * The whole configuration that counts, next to a repository's own file, which pushes cannot reach.
 * fsck refuses malformed and malicious objects; three faults that old histories really have only warn.
 */
const config: readonly (readonly [string, string])[] = [
  ['receive.fsckObjects', 'true'],
  ['receive.fsck.zeroPaddedFilemode', 'warn'],
  ['receive.fsck.badTimezone', 'warn'],
  ['receive.fsck.missingSpaceBeforeDate', 'warn'],
  ['receive.maxInputSize', String(largestPack)],
  ['receive.keepAlive', '5'],
  ['receive.shallowUpdate', 'true'],
  // The hook decides what may be deleted, with a sentence.
  ['receive.denyDeleteCurrent', 'ignore'],
  ['receive.autogc', 'false'],
  ['receive.advertisePushOptions', 'true'],
  ['transfer.hideRefs', 'refs/wherry'],
  ['uploadpack.allowFilter', 'false'],
  ['gc.auto', '0'],
  ['core.fsmonitor', 'false'],
  // Larger files are streamed, not held in memory.
  ['core.bigFileThreshold', '32m'],
  // Git by itself leaves the objects of a small push to the disk's leisure: a loss of power would have the branch name what is not there.
  ['core.fsync', 'all'],
  ['core.fsyncMethod', 'batch'],
  ['pack.windowMemory', '64m'],
];

export function createGit({ paths, user }: { paths: Paths; user: SystemUser }): Git {
  return {
    user,
    start: (args, options) =>
      spawn('git', args, {
        cwd: options.repo,
        env: gitEnvironment(paths, options),
        // libuv drops root's supplementary groups when it changes the user.
        ...user,
        stdio: options.stdio,
        // A process group of its own, so that git's children end with it.
        detached: true,
      }),
  };
}

/** Nothing of the daemon's environment, no system or user configuration, an empty home. */
export function gitEnvironment(
  paths: Paths,
  { repo, protocol, quarantine }: Pick<GitOptions, 'repo' | 'protocol' | 'quarantine'>,
): Record<string, string> {
  const settings = [...config, ['core.hooksPath', hooksDir(paths)] as const];
  return {
    ...hardenedGitEnv({ home: homeDir(paths), config: settings, protocols: 'none' }),
    ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
    ...(quarantine === undefined
      ? {}
      : { GIT_OBJECT_DIRECTORY: quarantine, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(repo, 'objects') }),
  };
}

/** An empty folder that git takes for its home. */
export function homeDir(paths: Paths): string {
  return join(paths.repos, '.home');
}

/** Status of a process that ends; 128 and a signal's number when one ended it. */
export function exitOf(child: GitProcess): Promise<number> {
  return new Promise(resolve => {
    child.once('error', () => resolve(127));
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGTERM' ? 143 : 137)));
  });
}

/** To a process and its children, unless it has ended. */
export function killGroup(child: GitProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group ended by itself.
  }
}
