import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { spawn } from '../../system/exec.ts';
import type { Driver } from './driver.ts';
import type { InstanceFolder } from './folders.ts';
import { readText } from './record.ts';

const startTimeout = 60_000;

/** Starts a bundle without a supervisor: its first process prints nothing and its exit status tells nothing. Returns its host pid. */
export async function startPause(driver: Driver, id: string, folder: InstanceFolder): Promise<number> {
  const log = join(folder.dir, 'runc.log');
  const flags = ['--root', driver.folders.state, '--log', log];
  const run = ['run', '--detach', '--bundle', folder.bundle, '--pid-file', folder.pid, id];
  // No pipes: the container would keep them open as long as it lives.
  const code = await exitOf(spawn(driver.host.runc, [...flags, ...run], { stdio: 'ignore' }));
  if (code === 0) return Number(await readFile(folder.pid, 'utf8'));
  const said = (await readText(log))?.trim().split('\n').at(-1) ?? `status ${code}`;
  throw new WherryError('failed', `The build container did not start: ${said}`);
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), startTimeout);
    child.once('error', reject);
    child.once('exit', code => {
      clearTimeout(timer);
      resolve(code ?? 128 + 9);
    });
  });
}
