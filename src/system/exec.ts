import {
  type ChildProcess,
  spawn as nodeSpawn,
  type SpawnOptions,
  type StdioOptions,
  spawnSync,
} from 'node:child_process';
import { WherryError } from '../domain/errors.ts';

export type { ChildProcess, StdioOptions };

export type ExecOptions = {
  readonly cwd?: string;
  /** The whole environment; nothing is inherited but PATH when this is left out. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** Milliseconds until SIGKILL; 60,000 unless told. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Bytes kept of each stream; 10 MiB unless told. More kills the process. */
  readonly maxOutput?: number;
  /** Numeric user to run as. */
  readonly uid?: number;
  readonly gid?: number;
};

export type ExecResult = { readonly stdout: string; readonly stderr: string; readonly exitCode: number };

/**
 * Runs a program to its end: `file` and argv, never a shell.
 * @throws ExecError when it cannot start, ends with another status than 0, is killed, times out or prints too much.
 */
export async function exec(
  file: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const child = spawn(file, args, { ...spawnOptions(options), stdio: ['pipe', 'pipe', 'pipe'] });
  const limit = options.maxOutput ?? 10 * 2 ** 20;
  let overflow = false;
  const collect = (stream: NodeJS.ReadableStream | null) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else {
        overflow = true;
        child.kill('SIGKILL');
      }
    });
    return () => Buffer.concat(chunks).toString('utf8');
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');

  const { code, signal, cause, timedOut } = await ended(child, options);
  const result = { stdout: stdout(), stderr: stderr(), exitCode: code ?? 128 };
  if (code === 0 && !overflow) return result;
  throw new ExecError(file, args, { ...result, signal, timedOut, overflow, cause });
}

/** Starts a program and hands the process over; the caller waits for it and ends it. */
export function spawn(file: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return nodeSpawn(file, [...args], {
    ...options,
    shell: false,
    env: options.env ?? { PATH: process.env['PATH'] },
  });
}

/** Has a program that is done at once, as stty, work on this process's own standard input. Whether it did. */
export function execOnStdin(file: string, args: readonly string[]): boolean {
  return spawnSync(file, [...args], { stdio: ['inherit', 'ignore', 'ignore'], timeout: 5000 }).status === 0;
}

/** Whether a program is on the PATH. */
export function hasProgram(file: string): boolean {
  return !spawnSync(file, ['--version'], { stdio: 'ignore', timeout: 5000 }).error;
}

export class ExecError extends Error {
  readonly file: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** More was printed than is kept. */
  readonly overflow: boolean;

  constructor(
    file: string,
    args: readonly string[],
    result: ExecResult & {
      signal: NodeJS.Signals | null;
      timedOut: boolean;
      overflow: boolean;
      cause: unknown;
    },
  ) {
    const how = result.timedOut
      ? 'timed out'
      : result.overflow
        ? 'printed too much'
        : result.signal
          ? `was killed by ${result.signal}`
          : result.cause
            ? 'could not start'
            : `ended with ${result.exitCode}`;
    const said = result.stderr.trim().split('\n').slice(-3).join(' | ').slice(0, 500);
    super(`${file} ${args.slice(0, 3).join(' ')} ${how}${said ? `: ${said}` : ''}`, { cause: result.cause });
    this.name = 'ExecError';
    this.file = file;
    this.exitCode = result.exitCode;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
    this.timedOut = result.timedOut;
    this.overflow = result.overflow;
  }
}

/** An ExecError as a WherryError that names what was being done. */
export function because(doing: string, error: unknown): WherryError {
  const detail = error instanceof Error ? error.message : String(error);
  return new WherryError('failed', `${doing} failed: ${detail}`, { cause: error });
}

function spawnOptions(options: ExecOptions): SpawnOptions {
  return {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', ...options.env },
  };
}

function ended(
  child: ChildProcess,
  options: ExecOptions,
): Promise<{ code: number | null; signal: NodeJS.Signals | null; cause: unknown; timedOut: boolean }> {
  return new Promise(resolve => {
    let timedOut = false;
    let cause: unknown;
    const kill = () => child.kill('SIGKILL');
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeout ?? 60_000);
    if (options.signal?.aborted) kill();
    options.signal?.addEventListener('abort', kill, { once: true });
    const settle = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', kill);
      resolve({ code, signal, cause, timedOut });
    };
    child.once('error', error => {
      cause = error;
      settle(null, null);
    });
    child.once('close', settle);
  });
}
