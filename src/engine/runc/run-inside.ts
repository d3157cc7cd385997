import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChildProcess, type StdioOptions, spawn } from '../../system/exec.ts';
import type { ociProcess } from './bundle.ts';
import type { InstanceFolder } from './folders.ts';
import { kill } from './processes.ts';
import type { Runtime } from './runtime.ts';

/** Milliseconds between looks at whether the program has ended while its output stays open. */
const lookInterval = 200;

let count = 0;

/**
 * Runs one more program in a running container, to its end; its exit status. Its environment goes through a file that only root
 * reads, never through argv. What it leaves running ends with it: runc would wait for ever for the output that it holds open.
 */
export async function runInside(options: {
  id: string;
  folder: InstanceFolder;
  /** What runs the container. */
  runtime: Runtime;
  process: ReturnType<typeof ociProcess>;
  /** What runs the runtime, if not we ourselves: a program and its arguments, in front of it. */
  through?: readonly string[];
  stdio: StdioOptions;
  /** Joins the streams of whoever wants the output to those of the child. */
  connect: (child: ChildProcess) => void;
  signal?: AbortSignal | undefined;
  /** Ends the processes that the program left behind; told its host pid. */
  endLeftovers: (pid: number) => void;
}): Promise<number> {
  const { id, folder, runtime, connect, signal, endLeftovers, through = [] } = options;
  signal?.throwIfAborted();
  count += 1;
  const specFile = join(folder.dir, `exec-${count}.json`);
  const pidFile = join(folder.dir, `exec-${count}.pid`);
  await writeFile(specFile, JSON.stringify(options.process), { mode: 0o600 });
  const exec = ['exec', '--process', specFile, '--pid-file', pidFile, id];
  const [program = runtime[0], ...args] = [...through, ...runtime, ...exec];
  const child = spawn(program, args, { stdio: options.stdio });
  const stop = () => killExec(pidFile, child);
  signal?.addEventListener('abort', stop, { once: true });
  connect(child);
  const watch = setInterval(() => lookForEnd(pidFile, endLeftovers), lookInterval);
  try {
    return await endOf(child);
  } finally {
    clearInterval(watch);
    signal?.removeEventListener('abort', stop);
    await Promise.all([specFile, pidFile].map(path => rm(path, { force: true })));
  }
}

/** runc passes SIGKILL to nobody: the program itself must be killed, and runc ends with it. */
function killExec(pidFile: string, child: ReturnType<typeof spawn>): void {
  const pid = readPid(pidFile);
  if (pid === undefined) child.kill('SIGKILL');
  else kill(pid, 'SIGKILL');
}

/** Does nothing while the program itself lives. */
function lookForEnd(pidFile: string, endLeftovers: (pid: number) => void): void {
  const pid = readPid(pidFile);
  if (pid === undefined || existsSync(`/proc/${pid}`)) return;
  endLeftovers(pid);
}

function readPid(pidFile: string): number | undefined {
  return existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) || undefined : undefined;
}

function endOf(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve(code ?? 128 + 9));
  });
}

/** Streams of a program that reads nothing, and whose output goes to one function. */
export function outputOnly(onOutput: (chunk: Buffer, stream: 'stdout' | 'stderr') => void) {
  return {
    stdio: ['ignore', 'pipe', 'pipe'] as StdioOptions,
    connect(child: ChildProcess): void {
      child.stdout?.on('data', (chunk: Buffer) => onOutput(chunk, 'stdout'));
      child.stderr?.on('data', (chunk: Buffer) => onOutput(chunk, 'stderr'));
    },
  };
}
