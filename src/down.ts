import { rm } from 'node:fs/promises';
import { stopEdge } from './edge-link/index.ts';
import { createEngine } from './engine/index.ts';
import { stopHaproxy } from './fast-path/index.ts';
import { readPid } from './pid-file.ts';
import { systemClock as clock } from './system/clock.ts';
import { createLog } from './system/log.ts';
import { unmountBelow } from './system/mounts.ts';
import { createPaths } from './system/paths.ts';

/**
 * Stops daemon, edge and every instance of a data directory and leaves nothing of them on the host: no mount, namespace, cgroup,
 * bridge, table or process. `purge` deletes the data directory too.
 */
export async function takeDown(options: { data: string; engine: string; purge: boolean }): Promise<void> {
  const log = createLog('wherry', 'warn');
  const paths = createPaths({ data: options.data });
  await stopDaemon(paths.pidFile);
  await stopHaproxy({ dir: paths.front, clock });
  await stopEdge({ dir: paths.edge, clock });
  const engine = createEngine(options.engine, {
    root: paths.engine,
    tag: paths.tag,
    layerPath: () => '',
    log,
    clock,
  });
  await engine.purge();
  await engine.close();
  await unmountBelow(paths.storage);
  if (options.purge) await rm(paths.data, { recursive: true, force: true });
}

async function stopDaemon(pidFile: string): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    const pid = readPid(pidFile);
    if (pid === undefined) return;
    try {
      if (tries % 100 === 0) process.kill(pid, tries === 0 ? 'SIGTERM' : 'SIGKILL');
    } catch {
      return;
    }
    await clock.sleep(100);
  }
}
