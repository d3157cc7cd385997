import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn } from '../../system/exec.ts';
import type { ociProcess } from './bundle.ts';
import type { Driver } from './driver.ts';
import type { InstanceFolder } from './folders.ts';
import { kill } from './processes.ts';

/** Milliseconds that output may still come after the program's end: something it left behind may hold the pipe open for ever. */
const drainTime = 250;

let count = 0;

/**
 * Runs one more program in a running container, to its end; its exit status. Its environment goes through a file that only root
 * reads, never through argv. `onStart` gets the way to kill it.
 */
export async function runInside(options: {
  driver: Driver;
  id: string;
  folder: InstanceFolder;
  process: ReturnType<typeof ociProcess>;
  onOutput: (chunk: Buffer, stream: 'stdout' | 'stderr') => void;
  signal?: AbortSignal | undefined;
}): Promise<number> {
  const { driver, id, folder, onOutput, signal } = options;
  signal?.throwIfAborted();
  count += 1;
  const specFile = join(folder.dir, `exec-${count}.json`);
  const pidFile = join(folder.dir, `exec-${count}.pid`);
  await writeFile(specFile, JSON.stringify(options.process), { mode: 0o600 });
  const child = spawn(
    driver.host.runc,
    ['--root', driver.folders.state, 'exec', '--process', specFile, '--pid-file', pidFile, id],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const stop = () => void killExec(pidFile, child);
  signal?.addEventListener('abort', stop, { once: true });
  child.stdout?.on('data', (chunk: Buffer) => onOutput(chunk, 'stdout'));
  child.stderr?.on('data', (chunk: Buffer) => onOutput(chunk, 'stderr'));
  try {
    return await endOf(child);
  } finally {
    signal?.removeEventListener('abort', stop);
    await Promise.all([specFile, pidFile].map(path => rm(path, { force: true })));
  }
}

/** runc passes SIGKILL to nobody: the program itself must be killed, and runc after it. */
async function killExec(pidFile: string, child: ReturnType<typeof spawn>): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
  if (pid > 1) kill(pid, 'SIGKILL');
  else child.kill('SIGKILL');
}

function endOf(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => {
      const drained = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, drainTime);
      child.once('close', () => {
        clearTimeout(drained);
        resolve(code ?? 128 + 9);
      });
    });
  });
}
