import { closeSync, constants, openSync } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { WherryError } from '../domain/errors.ts';
import type { Clock } from '../system/clock.ts';
import { hasProgram, spawn } from '../system/exec.ts';
import { type HaproxyOptions, haproxyConfig, haproxyFiles } from './haproxy-config.ts';
import { isThere } from './haproxy-socket.ts';

const program = 'haproxy';
const startTimeout = 10_000;

/** @throws unavailable when it is not installed */
export function requireHaproxy(): void {
  if (hasProgram(program)) return;
  throw new WherryError('unavailable', 'HAProxy is not installed.', {
    hint: 'Install it with: apt-get install haproxy',
  });
}

/**
 * The HAProxy of this folder: the one that runs, when it runs by the very same configuration, else a new one in its place.
 * @throws unavailable when it cannot start, in its own words
 */
export async function runHaproxy(
  options: HaproxyOptions & { clock: Clock },
): Promise<{ pid: number; adopted: boolean }> {
  const files = haproxyFiles(options.dir);
  const config = haproxyConfig(options);
  const found = await findHaproxy(options.dir);
  const same = (await readFile(files.config, 'utf8').catch(() => '')) === config;
  if (found !== undefined && same && (await isThere(files.socket))) return { pid: found, adopted: true };
  if (found !== undefined) await stopHaproxy(options);
  requireHaproxy();
  await mkdir(files.root, { recursive: true });
  for (const folder of [options.dir, files.root]) await chmod(folder, 0o700);
  await writeFile(files.map, '', { mode: 0o600 });
  await writeFile(`${files.config}.new`, config, { mode: 0o600 });
  await rename(`${files.config}.new`, files.config);
  return { pid: await start(options.dir, options.clock), adopted: false };
}

/** Ends the HAProxy of a folder, if one runs, and with it what is in flight there. */
export async function stopHaproxy({ dir, clock }: { dir: string; clock: Clock }): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const pid = await findHaproxy(dir);
    if (pid === undefined) break;
    try {
      // Its word for a soft stop: it listens no more and ends what it has begun.
      process.kill(pid, tries === 0 ? 'SIGUSR1' : tries < 60 ? 0 : 'SIGKILL');
    } catch {
      break;
    }
    await clock.sleep(50);
  }
  await rm(haproxyFiles(dir).socket, { force: true });
}

async function findHaproxy(dir: string): Promise<number | undefined> {
  for (const name of await readdir('/proc'))
    if (/^[1-9][0-9]*$/.test(name) && (await isHaproxy(dir, Number(name)))) return Number(name);
  return undefined;
}

/** By its command line, so that no number of a process is ever taken on trust. */
export async function isHaproxy(dir: string, pid: number): Promise<boolean> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return words[0] === program && words.includes(haproxyFiles(dir).config);
}

async function start(dir: string, clock: Clock): Promise<number> {
  const files = haproxyFiles(dir);
  const output = openSync(files.log, constants.O_WRONLY | constants.O_TRUNC | constants.O_CREAT, 0o600);
  try {
    const child = spawn(program, ['-q', '-db', '-f', files.config], {
      ...{ cwd: '/', detached: true, stdio: ['ignore', output, output] },
    });
    child.on('error', () => {});
    child.unref();
    const deadline = clock.ticks() + startTimeout;
    while (clock.ticks() < deadline && child.exitCode === null) {
      if (child.pid !== undefined && (await isThere(files.socket))) return child.pid;
      await clock.sleep(20);
    }
    child.kill('SIGKILL');
    throw new WherryError('unavailable', `HAProxy could not start. ${await lastWord(files.log)}`);
  } finally {
    closeSync(output);
  }
}

async function lastWord(log: string): Promise<string> {
  const file = await open(log, 'r').catch(() => undefined);
  const text = (await file?.readFile('utf8')) ?? '';
  await file?.close();
  return (text.split('\n').find(line => /ALERT/.test(line)) ?? '').replace(/^.*?:\s*/, '').slice(0, 300);
}
