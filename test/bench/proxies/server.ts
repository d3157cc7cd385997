import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { spawn } from '../../../src/system/exec.ts';

export type Server = {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
};

/** Starts a program on one processor and waits until it listens. */
export async function startServer(start: {
  readonly argv: readonly string[];
  readonly core: number;
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<Server> {
  const { argv, core, port, env } = start;
  const child = spawn('taskset', ['-c', String(core), ...argv], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const stop = () => ended(child);
  try {
    await listening(port, child);
  } catch (error) {
    await stop();
    throw new Error(`${argv[0]} did not start: ${error instanceof Error ? error.message : error}`);
  }
  return { port, pid: child.pid ?? 0, stop };
}

const ticksPerSecond = 100;

/** Seconds of processor time that a process, with all its threads, has had. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Megabytes of proportional set size. */
export function pss(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (performance.now() > end) throw new Error(`nothing listens on port ${port}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
