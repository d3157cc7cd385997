import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Clock } from '../system/clock.ts';
import { edgeFiles } from './folder.ts';

/** An edge process of a folder, found by its pid file and confirmed by its own command line. */
export type EdgeProcess = {
  readonly pid: number;
  /** Addresses as its command line has them; empty for none. */
  readonly http: string;
  readonly https: string;
};

/** The running edge of this folder, if there is one; also one whose pid was never written, because control died first. */
export async function findEdge(dir: string): Promise<EdgeProcess | undefined> {
  const pid = await readPid(dir);
  const known = pid === undefined ? undefined : await edgeAt(dir, pid);
  if (known) return known;
  for (const name of await readdir('/proc')) {
    const found = /^[1-9][0-9]*$/.test(name) ? await edgeAt(dir, Number(name)) : undefined;
    if (found) return found;
  }
  return undefined;
}

async function edgeAt(dir: string, pid: number): Promise<EdgeProcess | undefined> {
  const words = await commandLine(pid);
  if (!words.includes('edge') || valueAfter(words, '--dir') !== dir) return undefined;
  return { pid, http: valueAfter(words, '--http') ?? '', https: valueAfter(words, '--https') ?? '' };
}

export async function writePid(dir: string, pid: number): Promise<void> {
  const { pid: file } = edgeFiles(dir);
  await rm(file, { force: true });
  await writeFile(file, `${pid}\n`, { flag: 'wx', mode: 0o644 });
}

/** Whether that edge still runs: not gone, no zombie, and its number not taken by another program. */
export async function isAlive(dir: string, pid: number): Promise<boolean> {
  return (await edgeAt(dir, pid)) !== undefined;
}

/** Asks the process to end, and ends it after `timeout` milliseconds. */
export async function endProcess(edge: { pid: number; timeout: number; clock: Clock }): Promise<void> {
  const { pid, timeout, clock } = edge;
  const deadline = clock.ticks() + timeout;
  signal(pid, 'SIGTERM');
  while (!(await isGone(pid))) {
    if (clock.ticks() >= deadline) signal(pid, 'SIGKILL');
    if (clock.ticks() >= deadline + 5000) return;
    await clock.sleep(25);
  }
}

/**
 * Ends the edge of a folder, if one runs, and removes its pid file and socket.
 * @param timeout milliseconds for the requests in flight; 5 s unless told
 */
export async function stopEdge(options: { dir: string; clock: Clock; timeout?: number }): Promise<void> {
  const { dir, clock, timeout = 5000 } = options;
  const found = await findEdge(dir);
  if (found) await endProcess({ pid: found.pid, timeout, clock });
  const files = edgeFiles(dir);
  await Promise.all([rm(files.pid, { force: true }), rm(files.socket, { force: true })]);
}

/** Its files are closed too: a command line is empty a moment before that. */
async function isGone(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /^$|\) [ZX] [^)]*$/.test(text.trim());
}

async function readPid(dir: string): Promise<number | undefined> {
  const text = await readFile(edgeFiles(dir).pid, 'utf8').catch(() => '');
  const pid = Number(/^([1-9][0-9]{0,9})\n?$/.exec(text)?.[1]);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

/** Empty for a process that is gone or a zombie. */
async function commandLine(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0');
}

function valueAfter(words: readonly string[], flag: string): string | undefined {
  const at = words.lastIndexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}
