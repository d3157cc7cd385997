import type { Clock } from '../../system/clock.ts';
import type { BuildRequest } from '../builder.ts';
import type { LayerStore } from '../layers/store.ts';
import type { Operator } from '../operator.ts';
import type { Registries } from '../registry/registries.ts';
import type { Runtimes } from '../runtimes/runtimes.ts';
import type { Stack } from '../stack/stack.ts';
import type { Sandboxes } from '../turns.ts';
import type { Buildpack } from './buildpack.ts';
import type { Order } from './order.ts';
import type { WorkFolder } from './work-folder.ts';

export type LifecycleOptions = {
  readonly engine: Sandboxes;
  readonly layers: LayerStore;
  readonly stack: Stack;
  readonly runtimes: Runtimes;
  readonly operator: Operator;
  readonly registries: Registries;
  readonly clock: Clock;
  readonly buildpacks: ReadonlyMap<string, Buildpack>;
  readonly order: Order;
  /** Folder of the builds' records. */
  readonly builds: string;
  /** Folder of what the operator sets for every build; need not exist. */
  readonly buildConfig: string;
  /** For keyed hashes of config values. */
  readonly key: Buffer;
};

/** One build: what builds, for whom, and where. */
export type Run = LifecycleOptions & {
  /** Set where somebody named the buildpacks of this build. */
  readonly kind?: 'native';
  /** The buildpacks that project.toml names by address. */
  readonly addressed?: ReadonlyMap<string, Buildpack>;
  readonly request: BuildRequest;
  readonly work: WorkFolder;
  readonly signal: AbortSignal;
};
