import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { ExecError, exec, spawn } from '../../system/exec.ts';
import { sshEnvironment } from '../ssh-environment.ts';
import { type DokkuAddress, formatDokkuAddress } from './address.ts';

export type Said = { readonly code: number; readonly out: string; readonly err: string };

/** Runs one command of dokku's on the host. @throws unavailable, invalid when the host does not play its part */
export type Link = (words: readonly string[]) => Promise<Said>;

export type SshOptions = {
  /** Another file than the person's own. */
  readonly config?: string | undefined;
  /** Whether ssh may ask the person: whether the host's key is right, for a passphrase. */
  readonly interactive: boolean;
  /** Milliseconds for an answer. */
  readonly patience: number;
  readonly signal: AbortSignal;
};

/** Bytes of one answer. */
const mostOutput = 4 * 2 ** 20;
/** Milliseconds to connect: while nobody is asked anything, and while a person may be. */
const connecting = { alone: 30_000, withPerson: 120_000 };

/**
 * A connection by the person's own ssh: their keys, agent, known hosts and jumps count. One connection carries all commands.
 * @throws unavailable when the host cannot be reached or lets nobody in
 */
export async function connectSsh(
  address: DokkuAddress,
  options: SshOptions,
): Promise<{ link: Link; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-import-'));
  const socket = join(folder, 's');
  const master = startMaster(address, socket, options);
  const close = async () => {
    master.child.kill('SIGTERM');
    await master.ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await opened(master, socket, { address, options });
  } catch (error) {
    await close();
    throw error;
  }
  return { link: words => ask(words, { address, socket, options }), close };
}

type Master = ReturnType<typeof startMaster>;

function startMaster(address: DokkuAddress, socket: string, options: SshOptions) {
  const child = spawn('ssh', ['-M', '-N', ...flagsOf(address, socket, options), '--', address.host], {
    env: sshEnvironment(),
    stdio: [options.interactive ? 'inherit' : 'ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  let alive = true;
  const ended = new Promise<void>(resolve => {
    for (const event of ['close', 'error'] as const)
      child.once(event, () => {
        alive = false;
        resolve();
      });
  });
  return { child, ended, alive: () => alive, said: () => said };
}

async function opened(
  master: Master,
  socket: string,
  { address, options }: { address: DokkuAddress; options: SshOptions },
): Promise<void> {
  const { interactive, signal } = options;
  const until = Date.now() + (interactive ? connecting.withPerson : connecting.alone);
  while (!existsSync(socket)) {
    signal.throwIfAborted();
    if (!master.alive() || Date.now() > until) throw unreachable(address, master.said());
    await pause(20);
  }
}

async function ask(
  words: readonly string[],
  { address, socket, options }: { address: DokkuAddress; socket: string; options: SshOptions },
): Promise<Said> {
  const { patience: timeout, signal } = options;
  // The shell of another user than dokku's would read them; nothing that it could read otherwise gets here.
  if (!words.every(word => /^[A-Za-z0-9_][\w.:=,/@+-]*$|^--[a-z-]+$/.test(word)))
    throw new Error('a word that is not safe for a remote shell');
  const command = address.user === 'dokku' ? words : ['dokku', ...words];
  const args = [...flagsOf(address, socket, { ...options, interactive: false }), '--', address.host];
  try {
    const run = { env: sshEnvironment(), timeout, signal, maxOutput: mostOutput };
    const { stdout, stderr } = await exec('ssh', ['-T', ...args, ...command], run);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ExecError)) throw error;
    return judged(error, `${words[0]}`, address, timeout);
  }
}

function judged(error: ExecError, command: string, address: DokkuAddress, timeout: number): Said {
  const host = formatDokkuAddress(address);
  if (error.timedOut)
    throw new WherryError(
      'unavailable',
      `${host} did not answer ${command} within ${Math.round(timeout / 1000)} seconds. Look at that host, then run this again.`,
    );
  if (error.overflow)
    throw new WherryError(
      'invalid',
      `${host} answered ${command} with more than ${mostOutput / 2 ** 20} MiB. It does not answer as dokku does.`,
    );
  if (error.exitCode === 255) throw unreachable(address, error.stderr);
  return { code: error.exitCode, out: error.stdout, err: error.stderr };
}

function unreachable(address: DokkuAddress, said: string): WherryError {
  const why = said.trim().split('\n').at(-1)?.trim() ?? '';
  return new WherryError(
    'unavailable',
    `${formatDokkuAddress(address)} cannot be reached by ssh${why ? `: ${quoteForPeople(why)}` : ''}. Try: ssh ${address.user}@${address.host} version`,
  );
}

function flagsOf({ user, port }: DokkuAddress, socket: string, options: SshOptions): readonly string[] {
  return [
    ...(options.config === undefined ? [] : ['-F', options.config]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['-l', user, '-S', socket],
    ...['-o', `BatchMode=${options.interactive ? 'no' : 'yes'}`, '-o', 'ConnectTimeout=15'],
    ...['-o', 'ServerAliveInterval=15', '-o', 'ForwardAgent=no', '-o', 'ForwardX11=no'],
    ...['-o', 'ClearAllForwardings=yes', '-o', 'PermitLocalCommand=no'],
  ];
}
