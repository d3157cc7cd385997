import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawn } from '../../src/system/exec.ts';
import { must, type Run, run } from './run.ts';

/** A working copy of an app, with real git, untouched by the user's own configuration. */
export interface Repository {
  readonly dir: string;
  /** Writes files; text by path. */
  write(files: Readonly<Record<string, string>>): void;
  /** Stages everything and commits. */
  commit(message: string): Promise<string>;
  /** Any git command. */
  git(...args: string[]): Promise<Run>;
  push(...args: string[]): Promise<Run>;
  /** A push whose git and ssh are killed after so many milliseconds. */
  pushFor(ms: number): Promise<Run>;
  /** A push whose git and ssh are killed once `begun` resolves. */
  pushKilled(begun: () => Promise<void>): Promise<void>;
}

export type RepositoryOptions = {
  readonly dir: string;
  /** Folder copied in. */
  readonly from?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly remote: string;
  /** Environment that lets git speak SSH to the remote. */
  readonly env: Readonly<Record<string, string>>;
};

/** Makes a repository on branch main with one commit of what is in it, and the remote `wherry`. */
export async function createRepository(options: RepositoryOptions): Promise<Repository> {
  const { dir } = options;
  mkdirSync(dir, { recursive: true });
  if (options.from)
    cpSync(options.from, dir, { recursive: true, filter: path => !path.includes('node_modules') });
  const env = { ...isolation, ...options.env };
  const git = (...args: string[]) => run('git', args, { cwd: dir, env, timeout: 600_000 });
  const repository: Repository = {
    dir,
    write: files => writeFiles(dir, files),
    async commit(message) {
      await must('git', ['add', '-A'], { cwd: dir, env });
      await must('git', ['commit', '--quiet', '--allow-empty', '-m', message], { cwd: dir, env });
      return (await must('git', ['rev-parse', 'HEAD'], { cwd: dir, env })).trim();
    },
    git,
    pushFor: ms =>
      run('timeout', ['--signal=KILL', String(ms / 1000), 'git', 'push', 'wherry', 'main'], {
        cwd: dir,
        env,
      }),
    async pushKilled(begun) {
      const argv = ['push', 'wherry', 'main'];
      const { PATH } = process.env;
      const child = spawn('git', argv, { cwd: dir, env: { PATH, ...env }, stdio: 'ignore', detached: true });
      const ended = new Promise(resolve => child.once('exit', resolve));
      try {
        await begun();
      } finally {
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
        await ended;
      }
    },
    push: (...args) => git('push', ...(args.length > 0 ? args : ['wherry', 'main'])),
  };
  await must('git', ['init', '--quiet', '--initial-branch=main'], { cwd: dir, env });
  await must('git', ['remote', 'add', 'wherry', options.remote], { cwd: dir, env });
  if (options.files) repository.write(options.files);
  await repository.commit('First version');
  return repository;
}

export function writeFiles(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

const isolation = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'A Developer',
  GIT_AUTHOR_EMAIL: 'dev@example.org',
  GIT_COMMITTER_NAME: 'A Developer',
  GIT_COMMITTER_EMAIL: 'dev@example.org',
  HOME: '/nonexistent',
};
