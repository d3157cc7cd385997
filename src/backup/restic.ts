import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { BackupTarget } from '../domain/backup-target.ts';
import { WherryError } from '../domain/errors.ts';
import { type ChildProcess, spawn } from '../system/exec.ts';
import { faultOf } from './fault.ts';

/** Encrypted backups at one place. Its secrets go into the environment of the one process that needs them, and nowhere else. */
export type Repository = {
  readonly target: BackupTarget;
  readonly password: string;
  readonly accessKey?: string | undefined;
  readonly secretKey?: string | undefined;
  readonly region?: string | undefined;
};

export type ResticOptions = {
  /** Folder for what it keeps of a server's index; it keeps nothing when left out. */
  readonly cache?: string;
  /** PEM file of an authority to trust. */
  readonly caFile?: string | undefined;
};

export type Run = {
  /** Told each line of JSON. */
  readonly onLine?: (line: Record<string, unknown>) => void;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; a day unless told. */
  readonly timeout?: number;
  /** The folder that it restores into. */
  readonly into?: string;
  /** Exit statuses that are no failure, beside 0. */
  readonly alsoGood?: readonly number[];
};

export type Restic = ReturnType<typeof createRestic>;

/** Tries in a row that fail until a server counts as away: about half a minute. */
const patience = 8;
/** Bytes of what it says that are kept. */
const kept = 64 * 1024;
const day = 86_400_000;

/** Debian's restic at one repository. */
export function createRestic(repository: Repository, options: ResticOptions) {
  const { target } = repository;
  const keepsIndex = target.kind === 's3' && options.cache !== undefined;
  const fixed = ['--json', ...(keepsIndex ? [] : ['--no-cache']), ...cacert(target, options)];

  return {
    target,
    /** Its output, whole. @throws WherryError what went wrong, in a sentence */
    async run(args: readonly string[], run: Run = {}): Promise<string> {
      const child = spawn('restic', [...args, ...fixed], {
        env: environment(repository, options),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const heard = listen(child, run.onLine);
      const how = await ended(child, run);
      run.signal?.throwIfAborted();
      if (how.missing)
        throw new WherryError('unavailable', 'Backups need the program restic, which is missing.', {
          hint: 'apt-get install restic, or run bin/setup',
        });
      if (how.timedOut)
        throw new WherryError(
          'unavailable',
          `The backups at ${target.text} took longer than they may. Try again.`,
        );
      if (how.code !== 0 && !run.alsoGood?.includes(how.code ?? -1))
        throw faultOf(heard.stderr(), target, run.into);
      return heard.stdout();
    },
  };
}

function cacert({ kind }: BackupTarget, { caFile }: ResticOptions): string[] {
  return kind === 's3' && caFile ? ['--cacert', caFile] : [];
}

function environment(repository: Repository, { cache }: ResticOptions): Record<string, string> {
  const { target, password, accessKey, secretKey, region } = repository;
  return {
    PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/nonexistent',
    ...(cache === undefined ? {} : { RESTIC_CACHE_DIR: cache }),
    RESTIC_PROGRESS_FPS: '1',
    RESTIC_PASSWORD: password,
    RESTIC_REPOSITORY: target.kind === 'folder' ? target.path : s3Of(target),
    // Without a key of ours it must not go and ask a metadata service for the host's.
    ...(target.kind === 's3'
      ? { AWS_ACCESS_KEY_ID: accessKey ?? '', AWS_SECRET_ACCESS_KEY: secretKey ?? '' }
      : {}),
    ...(region === undefined ? {} : { AWS_DEFAULT_REGION: region }),
  };
}

function s3Of({ url, bucket, folder }: Extract<BackupTarget, { kind: 's3' }>): string {
  return `s3:${url}/${bucket}${folder === '' ? '' : `/${folder}`}`;
}

function listen(child: ChildProcess, onLine: Run['onLine']) {
  let out = '';
  let err = '';
  let failing = 0;
  each(child.stdout, line => {
    const message = onLine && parse(line);
    if (message && onLine) onLine(message);
    // Of what is told as it comes, nothing is asked afterwards.
    else out += `${line}\n`;
  });
  each(child.stderr, line => {
    const message = onLine && parse(line);
    if (message && onLine) onLine(message);
    err = `${err}${line}\n`.slice(-kept);
    if (!/returned error, retrying/.test(line)) return;
    failing += 1;
    if (failing === patience) child.kill('SIGKILL');
  });
  return { stdout: () => out, stderr: () => err };
}

function each(stream: Readable | null, work: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', work);
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

type Ending = { readonly code: number | null; readonly missing: boolean; readonly timedOut: boolean };

function ended(child: ChildProcess, { signal, timeout = day }: Run): Promise<Ending> {
  return new Promise(resolve => {
    let missing = false;
    let timedOut = false;
    // It takes its lock away when it is asked to end; a later one finds it stale otherwise.
    const stop = () => child.kill('SIGINT');
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeout);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    const settle = (code: number | null) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve({ code, missing, timedOut });
    };
    child.once('error', () => {
      missing = child.pid === undefined;
      settle(null);
    });
    child.once('close', settle);
    // Apps go before: it has time.
    if (child.pid !== undefined) setPriority(child.pid, 10);
  });
}
