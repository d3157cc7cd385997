import { WherryError } from '../domain/errors.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Engine, LayerPath } from './engine.ts';
import { RuncEngine } from './runc/runc-engine.ts';

export type EngineOptions = {
  /** Folder of the engine's own files, in the data directory. */
  readonly root: string;
  /** Eight hex digits, unique per data directory on the host: in every name the engine gives to the kernel. */
  readonly tag: string;
  readonly layerPath: LayerPath;
  /** Folders that layers lie in, at any depth; one mount of each serves all instances. */
  readonly layerRoots?: readonly string[];
  /** The same of what the overlays of builds write to. */
  readonly buildRoots?: readonly string[];
  /** Whether users of new instances are others outside; so it is unless told, where the host can. */
  readonly mapUsers?: boolean;
  readonly log: Log;
  readonly clock?: Clock;
};

const drivers: Readonly<Record<string, (options: EngineOptions) => Engine>> = {
  runc: options => new RuncEngine(options),
};

/** @throws usage for a name that no driver has. */
export function createEngine(name: string, options: EngineOptions): Engine {
  const create = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  if (create) return create(options);
  throw new WherryError(
    'usage',
    `Engine "${name}" is not known. Use one of: ${Object.keys(drivers).join(', ')}.`,
  );
}
