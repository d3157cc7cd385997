import { readdir, readFile, rm } from 'node:fs/promises';
import type { Clock } from '../system/clock.ts';
import { edgeFiles, removeRemains } from './folder.ts';

/** An edge process of a folder, known by its own command line. */
export type EdgeProcess = {
  readonly pid: number;
  /** Addresses as its command line has them; empty for none. */
  readonly http: string;
  readonly https: string;
  /** All words after `edge` but the one that says whose sockets it has. */
  readonly words: readonly string[];
};

/** The running edges of this folder, as the kernel knows them: also one that control did not live to hear of. */
export async function findEdges(dir: string): Promise<EdgeProcess[]> {
  const pids = (await readdir('/proc')).filter(name => /^[1-9][0-9]*$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(pid => edgeAt(dir, pid)));
  return found.filter(edge => edge !== undefined);
}

async function edgeAt(dir: string, pid: number): Promise<EdgeProcess | undefined> {
  const line = await commandLine(pid);
  if (!line.includes('edge') || valueAfter(line, '--dir') !== dir) return undefined;
  const words = line.slice(line.lastIndexOf('edge') + 1).filter(word => word !== '' && word !== '--inherit');
  return { pid, http: valueAfter(line, '--http') ?? '', https: valueAfter(line, '--https') ?? '', words };
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
 * Ends the edges of a folder, and removes their socket.
 * @param timeout milliseconds for the requests in flight; 5 s unless told
 */
export async function stopEdge(options: { dir: string; clock: Clock; timeout?: number }): Promise<void> {
  const { dir, clock, timeout = 5000 } = options;
  // One may have started another in the meantime.
  for (let round = 0; round < 3; round++) {
    const found = await findEdges(dir);
    if (found.length === 0) break;
    await Promise.all(found.map(({ pid }) => endProcess({ pid, timeout, clock })));
  }
  await rm(edgeFiles(dir).socket, { force: true });
  await removeRemains(dir);
}

/** Its files are closed too: a command line is empty a moment before that. */
async function isGone(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /^$|\) [ZX] [^)]*$/.test(text.trim());
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
