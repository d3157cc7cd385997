import { WherryError } from '../../domain/errors.ts';
import type { ExecSpec } from '../engine.ts';
import { ociProcess } from './bundle.ts';
import type { Driver, Living } from './driver.ts';
import { kill, sessionOf } from './processes.ts';
import { runInside } from './run-inside.ts';
import { isAlive } from './status.ts';

/** Runs a command beside the instance's own process: same user, environment and folder. */
export async function execInstance(driver: Driver, living: Living, options: ExecSpec): Promise<number> {
  const { spec } = living.record;
  if (!isAlive(living))
    throw new WherryError('conflict', `Instance ${spec.id} does not run. Start it first.`);
  return runInside({
    driver,
    id: spec.id,
    folder: living.folder,
    process: ociProcess({
      argv: options.argv,
      env: { ...spec.env, ...options.env },
      workingDir: spec.workingDir,
      user: spec.user,
      capabilities: [],
    }),
    onOutput: options.onOutput,
    signal: options.signal,
    endLeftovers(pid) {
      const left = driver.cgroups.processes(living.cgroup).filter(each => sessionOf(each) === pid);
      for (const each of left) kill(each, 'SIGKILL');
    },
  });
}
