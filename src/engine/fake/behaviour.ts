import type { AttachSpec, ExecSpec, InstanceSpec, SandboxStep } from '../engine.ts';

/** What a pretended process does once started. All of it is optional: by default it runs, deaf and dumb, until signalled. */
export type Behaviour = {
  /** Ends by itself after `after` milliseconds (0 unless told). `oom` lets the kernel have done it. */
  readonly exit?: { readonly code: number; readonly after?: number; readonly oom?: 'instance' | 'group' };
  /**
   * Listens, really, on its address: HTTP that answers `status` (200 unless told) with its id. `after` milliseconds; on `port`,
   * else on the PORT of its environment.
   */
  readonly listen?: { readonly after?: number; readonly port?: number; readonly status?: number };
  /** Lines for its log at the start. */
  readonly output?: readonly { readonly stream: 'stdout' | 'stderr'; readonly text: string }[];
  /** Bytes in use. More than its limit, or than the group's quota allows, and it is killed for memory. */
  readonly memory?: number;
  /** Bytes that `reclaim` frees, the first time. */
  readonly spare?: number;
  /** `reclaim` fails with this message. */
  readonly reclaimError?: string;
  /** Writes all that its disk limit lets it. */
  readonly fillsDisk?: boolean;
  /** Ignores SIGTERM, SIGINT and SIGHUP, as some apps do. */
  readonly stubborn?: boolean;
  /** `start` fails with this message. */
  readonly startError?: string;
};

export type FakeOptions = {
  /** Asked at every start; `starts` counts from 1. */
  readonly behave?: (spec: InstanceSpec, starts: number) => Behaviour;
  readonly exec?: (spec: InstanceSpec, options: ExecSpec) => Promise<number>;
  readonly attach?: (spec: InstanceSpec, options: AttachSpec) => Promise<number>;
  readonly step?: (step: SandboxStep) => Promise<number>;
  /** Tells the engines of one process apart, whose addresses must differ; 0 unless told. */
  readonly number?: number;
};
