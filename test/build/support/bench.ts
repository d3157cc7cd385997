import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildRequest } from '../../../src/build/builder.ts';
import { createBuilder, createLayerStore } from '../../../src/build/index.ts';
import type { OrderNames } from '../../../src/build/lifecycle/order.ts';
import type { FindCredentials } from '../../../src/build/registry/registries.ts';
import { type BuildLimits, buildDefaults } from '../../../src/domain/build-limits.ts';
import type { BuilderName } from '../../../src/domain/builder.ts';
import { parseBuildpackSource } from '../../../src/domain/buildpack-source.ts';
import type { Image } from '../../../src/domain/image.ts';
import { type AppName, parseAppName } from '../../../src/domain/names.ts';
import type { Progress } from '../../../src/domain/push.ts';
import type { Engine, Sandbox, SandboxSpec } from '../../../src/engine/engine.ts';
import { createEngine } from '../../../src/engine/index.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { silentLog as log } from '../../../src/system/log.ts';
import { createPaths } from '../../../src/system/paths.ts';

const buildpacksDir = new URL('../../../buildpacks', import.meta.url).pathname;
export const fixtures = new URL('../../fixtures/apps', import.meta.url).pathname;

const gib = 2 ** 30;
const limits: BuildLimits = { ...buildDefaults, memory: gib, pids: 512, disk: 2 * gib, time: 300_000 };

export type BuildBench = Awaited<ReturnType<typeof openBench>>;

/** A builder over the real engine in a data directory of its own; stacks come from the shared cache. */
export async function openBench(
  options: {
    parent?: string;
    buildpacksDir?: string;
    order?: OrderNames;
    allowHosts?: string;
    credentials?: FindCredentials;
  } = {},
) {
  const data = mkdtempSync(join(options.parent ?? tmpdir(), 'wherry-build-'));
  const paths = createPaths({ data });
  const layers = createLayerStore(paths);
  const engine = createEngine('runc', {
    root: paths.engine,
    tag: paths.tag,
    layerPath: layers.layerPath,
    layerRoots: layers.roots,
    buildRoots: [paths.builds],
    log,
    clock,
  });
  await engine.open();
  const sandboxes: SandboxSpec[] = [];
  const builder = createBuilder({
    paths,
    engine: counting(engine, sandboxes),
    layers,
    log,
    clock,
    buildpacksDir,
    ...options,
  });
  const requestOf = (dir: string, options: BuildOptions, output: string[]): BuildRequest => ({
    app: options.app ?? parseAppName('app'),
    source: {
      commit: '0'.repeat(40),
      subject: 'test',
      dir: checkout(dir, data, options.change),
      checkoutMs: 0,
    },
    config: options.config ?? {},
    ...(options.dockerfile ? { dockerfile: options.dockerfile } : {}),
    ...(options.buildpacks ? { buildpacks: options.buildpacks.map(parseBuildpackSource) } : {}),
    selected: options.selected,
    limits: { ...limits, ...options.limits },
    progress: collecting(output),
    signal: options.signal ?? new AbortController().signal,
    ...(options.fresh === undefined ? {} : { fresh: options.fresh }),
    ...(options.explain === undefined ? {} : { explain: options.explain }),
  });
  return {
    paths,
    layers,
    engine,
    builder,
    /** Every sandbox that was opened. */
    sandboxes,
    build: async (dir: string, options: BuildOptions = {}): Promise<Built> => {
      const output: string[] = [];
      const before = sandboxes.length;
      const started = performance.now();
      const image = await builder.build(requestOf(dir, options, output)).catch(error => {
        throw Object.assign(error, { output });
      });
      return { image, output, sandboxes: sandboxes.length - before, ms: performance.now() - started };
    },
    /** What a build of it would be done with. */
    detect: async (dir: string, options: BuildOptions = {}): Promise<readonly string[]> =>
      await builder.detect(requestOf(dir, options, [])),
    /** Runs a process of an image until `use` is done with it. */
    run: async (
      image: Image,
      type: string,
      use: (base: string) => Promise<void>,
      env: Record<string, string> = {},
    ) => {
      const process = image.processes.find(spec => spec.type === type);
      if (!process) throw new Error(`the image has no process ${type}`);
      const id = `t.${type}.1.v1-${Math.random().toString(16).slice(2, 8)}`;
      const instance = await engine.create({
        id,
        group: 't',
        labels: {},
        hostname: 'test',
        layers: image.layers,
        argv: [...image.entrypoint, ...process.command],
        env: { ...image.env, PORT: String(image.port ?? 5000), DYNO: `${type}.1`, ...env },
        workingDir: process.workingDir,
        user: image.user,
        limits: { memory: 256 * 2 ** 20, pids: 64 },
        logFile: join(paths.logs, `${id}.log`),
      });
      try {
        await engine.start(id);
        await use(`http://${instance.address}:${image.port ?? 5000}`);
      } finally {
        await engine.remove(id);
      }
    },
    close: async () => {
      await engine.purge();
      await engine.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export type BuildOptions = {
  readonly app?: AppName;
  readonly config?: Record<string, string>;
  /** As an operator sets them. */
  readonly buildpacks?: readonly string[];
  readonly selected?: BuilderName;
  readonly limits?: Partial<BuildLimits>;
  readonly fresh?: boolean;
  readonly explain?: boolean;
  readonly dockerfile?: BuildRequest['dockerfile'];
  readonly signal?: AbortSignal;
  /** Changes the checkout before it is built. */
  readonly change?: (dir: string) => void;
};
export type Built = {
  readonly image: Image;
  readonly output: readonly string[];
  readonly sandboxes: number;
  readonly ms: number;
};

function checkout(dir: string, data: string, change: (dir: string) => void = () => {}): string {
  const copy = mkdtempSync(join(data, 'checkout-'));
  cpSync(dir, copy, { recursive: true, verbatimSymlinks: true });
  change(copy);
  return copy;
}

function collecting(output: string[]): Progress {
  const keep = (text: string) => void output.push(text);
  return { header: keep, step: keep, detail: keep, warn: keep, raw: keep };
}

/** The engine, with a note of every sandbox it opens. */
function counting(engine: Engine, opened: SandboxSpec[]): Engine {
  return new Proxy(engine, {
    get(target, name, _receiver) {
      if (name !== 'openSandbox') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (spec: SandboxSpec): Promise<Sandbox> => {
        opened.push(spec);
        return await target.openSandbox(spec);
      };
    },
  });
}

/** Fetches until the app answers. */
export async function fetchSoon(url: string, options: RequestInit = {}): Promise<Response> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    try {
      return await fetch(url, options);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await clock.sleep(20);
    }
  }
}
