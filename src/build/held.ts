import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildLimits } from '../domain/build-limits.ts';
import type { ReachableHost, Sandbox } from '../engine/engine.ts';
import type { LayerStore } from './layers/store.ts';
import type { Sandboxes } from './turns.ts';

export type Holding = {
  readonly limits: BuildLimits;
  /** Host folder whose content counts as written by the build. */
  readonly dir: string;
  /** Hosts that it may reach beside the Internet, or alone. */
  readonly reach: () => Promise<readonly ReachableHost[]>;
  /** Told each time that a sandbox is there. */
  readonly onOpen: () => void;
};

const networks = { all: 'host-uplink', registries: 'hosts', none: 'none' } as const;

/** Sandboxes that are held to a build's limits, whoever opens them and whatever is asked for. */
export function heldTo({ limits, dir, reach, onOpen }: Holding, engine: Sandboxes): Sandboxes {
  let count = 0;
  const holding = (sandbox: Sandbox): Sandbox => ({
    id: sandbox.id,
    run: step =>
      sandbox.run({
        ...step,
        timeout: Math.min(step.timeout, limits.time),
        silence: Math.min(step.silence ?? limits.silence, limits.silence),
      }),
    close: () => sandbox.close(),
  });
  return {
    async openSandbox(spec) {
      count += 1;
      const scratch = join(dir, `scratch-${count}`);
      mkdirSync(scratch, { mode: 0o700 });
      const sandbox = await engine.openSandbox({
        ...spec,
        limits: { memory: limits.memory, pids: limits.pids },
        cpu: limits.cpu,
        network: spec.network === 'none' ? 'none' : networks[limits.network],
        reach: limits.network === 'none' ? [] : await reach(),
        scratch,
      });
      onOpen();
      return holding(sandbox);
    },
  };
}

/** The store as a build has it: what it puts is no larger than it looks on the disk, but for its disk limit. */
export function layersHeldTo({ disk }: Pick<BuildLimits, 'disk'>, layers: LayerStore): LayerStore {
  return { ...layers, put: options => layers.put({ ...options, disk }) };
}
