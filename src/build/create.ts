import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LimitReached } from '../domain/build-limits.ts';
import { WherryError } from '../domain/errors.ts';
import type { DiffId } from '../domain/image.ts';
import type { AppName } from '../domain/names.ts';
import type { Engine, ReachableHost } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { faultPoint } from '../system/fault.ts';
import { list } from '../system/list.ts';
import type { Log } from '../system/log.ts';
import type { Paths } from '../system/paths.ts';
import { insideBuildDir } from './build-dir.ts';
import { buildImage, detectBuildpacks } from './build-image.ts';
import type { Builder, BuildRequest } from './builder.ts';
import { layersHeld } from './collect.ts';
import { commitWritten } from './commit.ts';
import { explainFull, watchDisk } from './disk-watch.ts';
import { parseAllowedHosts } from './fetch/addresses.ts';
import { fetchAppCommit } from './fetch/app-repository.ts';
import { createFetcher, type Fetcher } from './fetch/fetcher.ts';
import type { FindLogin } from './fetch/repository.ts';
import { unpackSource } from './fetch/source-archive.ts';
import type { SshIdentity } from './fetch/ssh-access.ts';
import { withFileFrom } from './file-path.ts';
import { heldTo, layersHeldTo } from './held.ts';
import type { LayerStore } from './layers/store.ts';
import { readBuildConfig } from './lifecycle/build-config.ts';
import { loadBuildpacks } from './lifecycle/buildpack.ts';
import { type NamedOrder, orderOf } from './lifecycle/composite.ts';
import { applyChange } from './lifecycle/environment.ts';
import { builtInOrder } from './lifecycle/order.ts';
import { appsWithRecords } from './lifecycle/record.ts';
import type { LifecycleOptions, Run } from './lifecycle/run.ts';
import { makeWorkFolder } from './lifecycle/work-folder.ts';
import { loadImage } from './oci/load.ts';
import { pullImage } from './oci/pull.ts';
import { readOperator } from './operator.ts';
import { type BuildQueue, createBuildQueue, defaultBuildMemory, type TakeMemory } from './queue.ts';
import { reachOf } from './reach.ts';
import { rebase } from './rebase.ts';
import { loadRecordKey } from './record-key.ts';
import { createRegistries, type FindCredentials } from './registry/registries.ts';
import { createRuntimes } from './runtimes/runtimes.ts';
import { createStack, type Stack } from './stack/stack.ts';
import { fillSubmodules } from './submodules.ts';
import { inTurns } from './turns.ts';

export type BuilderOptions = {
  readonly paths: Paths;
  readonly engine: Engine;
  readonly layers: LayerStore;
  readonly log: Log;
  readonly clock: Clock;
  /** PEM bundle that builds trust; the one this process was told to trust when left out. */
  readonly caFile?: string;
  /** Hosts that buildpacks and images may be fetched from although they are private, as `HOST` or `HOST:PORT`. */
  readonly allowHosts?: string;
  /** URL of a mirror of nodejs.org's distribution, asked before it. */
  readonly nodeMirror?: string | undefined;
  /** Who apps are to registries of images; nobody when left out. */
  readonly credentials?: FindCredentials;
  /** Who apps are to hosts of git repositories; nobody when left out. */
  readonly gitLogin?: FindLogin;
  /** Its deploy key, and the hosts by ssh that it knows; none when left out. */
  readonly sshIdentity?: () => SshIdentity | undefined;
  /** The same for submodules, which whoever deploys an app names. @throws access-denied for an app that must not use it */
  readonly submoduleIdentity?: (app: AppName) => SshIdentity | undefined;
  /** Bytes of memory that builds in containers may use together; half of the host's less a reserve when left out. */
  readonly memory?: number | undefined;
  /** Takes a build's part of the memory of the host, which it shares with apps. */
  readonly takeMemory?: TakeMemory;
  /** Folder with the built-in buildpacks. */
  readonly buildpacksDir: string;
  /** One of its own unless told. */
  readonly stack?: Stack;
  /** Groups of them in the order they are tried; Wherry's own unless told. */
  readonly order?: NamedOrder;
};

/** Builds with buildpacks in the engine's sandboxes, over stacks and runtimes of the shared cache. */
export function createBuilder(options: BuilderOptions): Builder {
  const { paths, layers, log, clock } = options;
  const operator = readOperator(process.env, options.caFile);
  const stack = options.stack ?? createStack({ paths, layers, clock });
  const runtimes = createRuntimes({
    paths,
    layers,
    stack,
    clock,
    hostEnv: operator.hostEnv,
    caFile: operator.caFile,
    proxies: operator.proxies,
    nodeMirror: options.nodeMirror,
  });
  const allowed = parseAllowedHosts(options.allowHosts);
  const downloads = { allowed, caFile: operator.caFile, proxies: operator.proxies };
  const login = options.gitLogin ?? (() => undefined);
  const registries = createRegistries({
    cache: paths.cache,
    clock,
    ...downloads,
    credentials: options.credentials ?? (() => undefined),
  });
  const fetcher = createFetcher({
    ...{ paths, layers, clock, ...downloads, login, registries },
    sshIdentity: options.submoduleIdentity ?? (() => undefined),
  });
  const queue = createBuildQueue(options.memory ?? defaultBuildMemory(), options.takeMemory);
  const reach = async ({ limits, progress }: BuildRequest) => {
    const set = readBuildConfig(join(paths.data, 'build-config'));
    const env = set.reduce(applyChange, { ...operator.buildEnv });
    return await reachOf({ network: limits.network, env, allowed, warn: progress.warn });
  };
  mkdirSync(paths.builds, { recursive: true, mode: 0o700 });
  const swept = sweep(paths.builds, layers).catch(error =>
    log.warn({ err: error }, 'left-over build folders could not be deleted'),
  );
  const ready = swept.then(
    async () => await prepareOptions({ ...options, stack, runtimes, operator, registries }),
  );
  // Told to whoever builds; until then nobody listens.
  ready.catch(() => {});

  return {
    async build(request) {
      const started = clock.ticks();
      const parts = { lifecycle: await ready, fetcher, queue, reach };
      const image = await buildOnce(parts, request, buildImage).catch(error => {
        log.info({ app: request.app, err: error }, 'build failed');
        throw error;
      });
      log.info({ app: request.app, image: image.id, ms: Math.round(clock.ticks() - started) }, 'built');
      return image;
    },
    load: async request => await loadImage(request, await ready),
    pull: async request => await pullImage(request, await ready),
    fetch: async request =>
      await fetchAppCommit(request, {
        ...{ cache: paths.cache, clock, rules: downloads, login },
        sshIdentity: options.sshIdentity ?? (() => undefined),
      }),
    async unpack(request) {
      await swept;
      return await unpackSource(request, {
        ...{ builds: paths.builds, rules: downloads, login },
      });
    },
    async detect(request) {
      return await buildOnce({ lifecycle: await ready, fetcher, queue, reach }, request, detectBuildpacks);
    },
    async rebase(request) {
      const release = layers.hold();
      try {
        return await rebase(request, stack);
      } finally {
        release();
      }
    },
    async commit(request, keep) {
      await swept;
      const release = layers.hold();
      try {
        return keep(await commitWritten(request, { layers, builds: paths.builds }));
      } finally {
        release();
      }
    },
    async prepare(progress) {
      await Promise.all([stack.build({ progress }), runtimes.warm({ progress })]);
    },
    async forget(app) {
      await rm(join(paths.builds, app), { recursive: true, force: true });
    },
    async collect(kept) {
      const { buildpacks } = await ready;
      const tools = [...buildpacks.values()].map(({ digest }) => digest);
      // From here to the look at what builds lease nothing waits, so no build can end in between.
      await layers.collect(new Set<DiffId>([...layersHeld(paths.builds, kept), ...tools]));
      await stack.collect(kept.flatMap(image => image.layers));
    },
  };
}

type Parts = {
  readonly lifecycle: LifecycleOptions;
  readonly fetcher: Fetcher;
  readonly queue: BuildQueue;
  readonly reach: (request: BuildRequest) => Promise<readonly ReachableHost[]>;
};

async function buildOnce<Result>(
  { lifecycle, fetcher, queue, reach }: Parts,
  request: BuildRequest,
  how: (run: Run, fetcher: Fetcher) => Promise<Result>,
): Promise<Result> {
  const { clock, builds } = lifecycle;
  const work = await makeWorkFolder(join(builds, request.app));
  const stop = new AbortController();
  let wall: NodeJS.Timeout | undefined;
  const { app, limits, progress } = request;
  const giveUp = (error: WherryError) => stop.abort(named(error, app));
  const onAbort = () => stop.abort(stopReason(request.signal));
  if (request.signal.aborted) onAbort();
  request.signal.addEventListener('abort', onAbort, { once: true });
  const endWatch = watchDisk({
    dir: work.dir,
    limit: limits.disk,
    clock,
    onFull: giveUp,
  });
  const release = lifecycle.layers.hold();
  try {
    await faultPoint('build:begin');
    await fillSubmodules({ app, source: request.source, progress, signal: stop.signal }, fetcher);
    const root = insideBuildDir(request.source, request.buildDir);
    withFileFrom(root, 'Procfile', request.procfilePath);
    const source = withFileFrom(root, 'app.json', request.appJsonPath);
    // A newer generation that comes while this runs is for the next build.
    const base = await lifecycle.stack.pin(request);
    const { signal } = stop;
    const onWait = (why: string) => progress.step(why);
    const turns = inTurns(lifecycle.engine, queue, { app, memory: limits.memory, signal, onWait });
    const engine = heldTo(
      {
        limits,
        dir: work.dir,
        reach: async () => await reach(request),
        onOpen() {
          const late = new LimitReached({ property: 'timeout', limit: limits.time });
          wall ??= setTimeout(() => giveUp(late), limits.time);
        },
      },
      turns,
    );
    const inside = { ...request, source, base, signal };
    const held = layersHeldTo(limits, lifecycle.layers);
    return await how({ ...lifecycle, layers: held, engine, request: inside, work, signal }, fetcher);
  } catch (error) {
    // A step that met a limit of its own knows better why the build took too long.
    const stopped = stop.signal.aborted && !(error instanceof LimitReached);
    throw stopped ? stop.signal.reason : named(explainFull(error, builds), app);
  } finally {
    clearTimeout(wall);
    release();
    endWatch();
    request.signal.removeEventListener('abort', onAbort);
    await work.remove();
    await rm(request.source.dir, { recursive: true, force: true });
  }
}

/** A limit's end of a build names the app in the command that raises it. */
function named<Problem>(error: Problem, app: string): Problem | LimitReached {
  return error instanceof LimitReached ? error.of(app) : error;
}

/** Who stopped it may have said why. */
function stopReason({ reason }: AbortSignal): WherryError {
  return reason instanceof WherryError ? reason : new WherryError('interrupted', 'The build was stopped.');
}

async function prepareOptions(
  options: BuilderOptions & Pick<LifecycleOptions, 'stack' | 'runtimes' | 'operator' | 'registries'>,
): Promise<LifecycleOptions> {
  const buildpacks = await loadBuildpacks(options.buildpacksDir, {
    layers: options.layers,
    tmp: join(options.paths.layers, 'tmp'),
  });
  const { builds } = options.paths;
  return {
    ...options,
    buildpacks,
    order: orderOf(options.order ?? builtInOrder, buildpacks),
    builds,
    buildConfig: join(options.paths.data, 'build-config'),
    key: loadRecordKey(builds),
  };
}

/** Folders of builds that a crash cut off. */
async function sweep(builds: string, layers: LayerStore): Promise<void> {
  for (const app of appsWithRecords(builds)) {
    for (const name of list(join(builds, app)).filter(entry => entry.startsWith('work-'))) {
      await rm(join(builds, app, name), { recursive: true, force: true });
    }
  }
  await layers.sweep();
}
