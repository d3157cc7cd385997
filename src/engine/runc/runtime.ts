import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { StopSignal } from '../../domain/image.ts';
import { gvisorProgram } from '../../domain/isolation.ts';
import { exec } from '../../system/exec.ts';
import type { InstanceSpec } from '../engine.ts';
import type { Driver, Living } from './driver.ts';
import { kill } from './processes.ts';

/** What runs a container: the program with the words in front of its verbs, its own folder among them. */
export type Runtime = readonly [string, ...(readonly string[])];

/**
 * gVisor uses the network of its instance's namespace, as the firewall has it, by the host's kernel: Debian's does not find its own
 * way into a namespace on newer kernels. Its notes are kept with the instance, as it names them in a way of its own.
 */
export function runtimeOf(driver: Pick<Driver, 'host' | 'folders'>, { record, folder }: Living): Runtime {
  if (record.spec.isolation !== 'gvisor') return [driver.host.runc, `--root=${driver.folders.state}`];
  return [gvisor(), `--root=${join(folder.dir, gvisorProgram)}`, '--network=host'];
}

/** @throws unavailable where what is to run it is not installed */
export function checkRuntime({ isolation }: Pick<InstanceSpec, 'isolation'>): void {
  if (isolation === 'gvisor') gvisor();
}

/** Its processes are known to itself alone: what is sent to its own process would end all of them. */
export async function signalInstance(
  driver: Driver,
  living: Living,
  signal: StopSignal | 'SIGKILL',
): Promise<void> {
  if (living.pid === undefined) return;
  if (living.record.spec.isolation !== 'gvisor' || signal === 'SIGKILL') return kill(living.pid, signal);
  const [program, ...words] = runtimeOf(driver, living);
  await exec(program, [...words, 'kill', living.record.spec.id, signal], { timeout: 20_000 });
}

function gvisor(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const found = folders.map(folder => join(folder, gvisorProgram)).find(path => existsSync(path));
  if (found !== undefined) return found;
  throw new WherryError('unavailable', `gVisor is not installed on this host: ${gvisorProgram} is missing.`, {
    hint: `apt-get install ${gvisorProgram}, or: isolation:set APP runc`,
  });
}
