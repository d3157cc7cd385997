import type { ChildProcess } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '../../src/system/exec.ts';
import { createRepository, type Repository, type RepositoryOptions } from './git.ts';
import { type Answer, type Ask, ask } from './http.ts';
import { leftovers } from './leftovers.ts';
import { freePorts } from './ports.ts';
import { must, type Run, run } from './run.ts';
import { until } from './until.ts';

const root = new URL('../..', import.meta.url).pathname;
const program = join(root, 'bin/wherry');

/** A whole Wherry of its own: daemon, edge, engine, in a scratch folder and on free loopback ports. */
export interface Wherry {
  readonly scratch: string;
  readonly data: string;
  readonly domain: string;
  readonly sshPort: number;
  readonly httpPort: number;
  /** Undefined unless HTTPS was asked for. */
  readonly httpsPort: number | undefined;
  readonly logFile: string;
  /** The private key that `registerKey` registered. */
  readonly key: string;
  /** Starts the daemon, with a fault if told, from another copy of the program if told; resolves on its `ready` line. */
  start(fault?: string, copy?: string): Promise<void>;
  /** Resolves when the daemon has ended by itself, as at a fault. */
  ended(): Promise<void>;
  /** kill -9 of the daemon alone. */
  kill(): Promise<void>;
  /** `down --purge`, then the scratch folder goes. Never throws twice; safe after a failed start. */
  stop(): Promise<void>;
  daemonPid(): number;
  /** The local client. */
  cli(...words: string[]): Promise<Run>;
  cliWith(input: string | Buffer, ...words: string[]): Promise<Run>;
  /** Flags and destination of ssh, for who starts it by themselves. */
  readonly sshFlags: readonly string[];
  /** A command over SSH, as a user would type it: the words reach the server as one line. */
  ssh(...words: string[]): Promise<Run>;
  registerKey(name?: string): Promise<void>;
  /** Git repository whose remote is the app on this Wherry. */
  repository(app: string, content: Pick<RepositoryOptions, 'from' | 'files'>): Promise<Repository>;
  get(app: string, path?: string, options?: Partial<Ask>): Promise<Answer>;
  hostOf(app: string): string;
  log(): string;
  leftovers(): Promise<string[]>;
}

export type WherryOptions = {
  readonly scratch?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly https?: boolean;
};

export async function createWherry(options: WherryOptions = {}): Promise<Wherry> {
  await builtFromSources();
  const scratch = options.scratch ?? mkdtempSync(join(tmpdir(), 'wherry-'));
  // The users that own repositories and run the edge pass through; keys in here are files for their owner only.
  chmodSync(scratch, 0o711);
  const data = join(scratch, 'data');
  const [sshPort = 0, httpPort = 0, httpsPort] = await freePorts(options.https ? 3 : 2);
  const domain = 'wherry.test';
  const key = join(scratch, 'id_ed25519');
  const logFile = join(scratch, 'daemon.log');
  const env = { ...daemonEnv(), ...options.env };
  const ssh = sshOptions({ key, knownHosts: join(scratch, 'known_hosts') });
  let daemon: ChildProcess | undefined;
  let repositories = 0;

  const cliWith = (input: string | Buffer, ...words: string[]) =>
    run(program, ['--data', data, ...words], { env, input, timeout: 180_000 });
  const hostOf = (app: string) => `${app}.${domain}`;

  return {
    scratch,
    data,
    domain,
    sshPort,
    httpPort,
    httpsPort,
    logFile,
    key,
    async start(fault, copy = program) {
      mkdirSync(data, { recursive: true });
      daemon = await startDaemon(
        [
          copy,
          'daemon',
          '--data',
          data,
          '--ssh',
          `127.0.0.1:${sshPort}`,
          '--http',
          `127.0.0.1:${httpPort}`,
        ].concat([
          '--domain',
          domain,
          '--https',
          httpsPort === undefined ? 'none' : `127.0.0.1:${httpsPort}`,
        ]),
        { env: fault === undefined ? env : { ...env, WHERRY_FAULT: fault }, logFile },
      );
    },
    ended: async () => {
      await until(
        'the daemon to end',
        () => !daemon || daemon.exitCode !== null || daemon.signalCode !== null,
      );
      daemon = undefined;
    },
    async kill() {
      const child = daemon;
      if (!child) return;
      const gone = new Promise(resolve => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
      daemon = undefined;
    },
    async stop() {
      if (existsSync(data))
        await run(program, ['--data', data, 'down', '--purge'], { env, timeout: 120_000 });
      daemon?.kill('SIGKILL');
      rmSync(scratch, { recursive: true, force: true });
    },
    daemonPid: () => daemon?.pid ?? 0,
    cli: (...words) => cliWith('', ...words),
    cliWith,
    sshFlags: [...ssh, '-p', String(sshPort), 'wherry@127.0.0.1'],
    ssh: (...words) =>
      run('ssh', [...ssh, '-p', String(sshPort), 'wherry@127.0.0.1', '--', ...words], { timeout: 180_000 }),
    async registerKey(name = 'dev') {
      await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', key]);
      const added = await cliWith(readFileSync(`${key}.pub`, 'utf8'), 'ssh-keys:add', name);
      if (added.code !== 0) throw new Error(`The key was not taken: ${added.output}`);
    },
    repository: (app, content) => {
      repositories += 1;
      return createRepository({
        ...content,
        dir: join(
          scratch,
          'repositories',
          `${repositories}-${app.slice(0, 40).replaceAll(/[^a-z0-9-]/g, '_')}`,
        ),
        remote: `ssh://wherry@127.0.0.1:${sshPort}/${app}`,
        env: { GIT_SSH_COMMAND: ['ssh', ...ssh].join(' '), GIT_SSH_VARIANT: 'ssh' },
      });
    },
    get: (app, path = '/', ask_ = {}) => ask({ port: httpPort, host: hostOf(app), path, ...ask_ }),
    hostOf,
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    leftovers: () => leftovers(data),
  };
}

/** A Wherry that runs and knows the key `dev`. */
export async function startWherry(options: WherryOptions = {}): Promise<Wherry> {
  const wherry = await createWherry(options);
  try {
    await wherry.start();
    await wherry.registerKey();
    return wherry;
  } catch (error) {
    const log = wherry.log();
    await wherry.stop();
    throw new Error(`Wherry did not start. Its log ends:\n${log.slice(-3000)}`, { cause: error });
  }
}

/** bin/wherry runs what was compiled; one that is behind the sources would test the past. */
async function builtFromSources(): Promise<void> {
  // A guest of bin/test-v2 has what the host built, and nothing to build with.
  if (process.env['WHERRY_TEST_BUILT'] === 'yes') return;
  const env = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  await must(join(root, 'bin/setup'), [], { env: Object.fromEntries(env), timeout: 1_200_000 });
}

async function startDaemon(
  [file = '', ...args]: readonly string[],
  { env, logFile }: { env: Readonly<Record<string, string>>; logFile: string },
): Promise<ChildProcess> {
  const log = openSync(logFile, 'a');
  const child = spawn(file, args, {
    env: { ...env },
    stdio: ['ignore', 'pipe', log],
    // Ctrl-C in a terminal is for whoever started it; the daemon is stopped in order.
    detached: true,
  });
  closeSync(log);
  let said = '';
  child.stdout?.on('data', chunk => {
    said += chunk;
  });
  let ended: string | undefined;
  child.once('exit', (code, signal) => {
    ended = `The daemon ended with ${signal ?? code} before it was ready.`;
  });
  await until('the line "ready"', () => ended ?? /^ready$/m.test(said), { timeout: 60_000, every: 10 });
  if (ended) throw new Error(ended);
  return child;
}

/** What the daemon inherits: a path, a cache, and the company CA that this machine trusts, if it has one. */
function daemonEnv(): Record<string, string> {
  const { PATH, WHERRY_CACHE, WHERRY_CA_FILE, NODE_EXTRA_CA_CERTS, WHERRY_LOG } = process.env;
  const ca = WHERRY_CA_FILE ?? NODE_EXTRA_CA_CERTS;
  return {
    PATH: PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    ...(WHERRY_CACHE ? { WHERRY_CACHE } : {}),
    ...(ca ? { WHERRY_CA_FILE: ca } : {}),
    ...(NODE_EXTRA_CA_CERTS ? { NODE_EXTRA_CA_CERTS } : {}),
    ...(WHERRY_LOG ? { WHERRY_LOG } : {}),
  };
}

function sshOptions({ key, knownHosts }: { key: string; knownHosts: string }): string[] {
  const settings = {
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    BatchMode: 'yes',
    StrictHostKeyChecking: 'accept-new',
    UserKnownHostsFile: knownHosts,
    ConnectTimeout: '20',
    LogLevel: 'ERROR',
  };
  return [
    '-F',
    '/dev/null',
    '-i',
    key,
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
}
