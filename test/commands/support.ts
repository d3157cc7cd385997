import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';
import { CaFault } from '../../src/acme/ca-fault.ts';
import { Certifier } from '../../src/acme/certifier.ts';
import { Challenges } from '../../src/acme/challenges.ts';
import type { Transport } from '../../src/acme/transport.ts';
import { createBackups } from '../../src/backup/backups.ts';
import type { Builder, BuildRequest, PullImageRequest, RebaseRequest } from '../../src/build/builder.ts';
import { createBuilds } from '../../src/build/builds.ts';
import { createDiskRoom } from '../../src/build/disk-room.ts';
import { createDiskUse } from '../../src/build/disk-use.ts';
import type { ScannedKey } from '../../src/build/fetch/host-keys.ts';
import { createLayerStore } from '../../src/build/layers/store.ts';
import { rebase } from '../../src/build/rebase.ts';
import { createRebaseAll } from '../../src/build/rebase-all.ts';
import { createLoginCheck } from '../../src/build/registry/check-login.ts';
import { createStack } from '../../src/build/stack/stack.ts';
import { createCallJson } from '../../src/commands/call-json.ts';
import type { Services } from '../../src/commands/context.ts';
import { createDispatch, type DispatchRequest } from '../../src/commands/dispatch.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { createRefusals } from '../../src/commands/refusals.ts';
import { createDeployer } from '../../src/deploy.ts';
import type { Host } from '../../src/doctor/host.ts';
import type { App } from '../../src/domain/app.ts';
import type { Image } from '../../src/domain/image.ts';
import { type ProcessType, parseAppName, parseDomain } from '../../src/domain/names.ts';
import type { Actor, Progress } from '../../src/domain/push.ts';
import type { SleepDepth } from '../../src/domain/scaling.ts';
import { createAccessLogs, createPageFiles, readEdgeMetrics } from '../../src/edge-link/index.ts';
import { createFleet } from '../../src/fleet.ts';
import { createPluginHost } from '../../src/plugin/host.ts';
import type { Receiver } from '../../src/receive/receiver.ts';
import type {
  CheckResult,
  Desired,
  InstanceStats,
  InstanceView,
  LogLine,
  Runtime,
} from '../../src/runtime/runtime.ts';
import { Scaler } from '../../src/scale/scaler.ts';
import { readSettings } from '../../src/settings.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { createLocks } from '../../src/system/locks.ts';
import type { Log } from '../../src/system/log.ts';
import { createPaths } from '../../src/system/paths.ts';
import { urlsOf } from '../../src/urls.ts';
import { createVolumes } from '../../src/volumes.ts';
import { fakeMirror } from '../build/stack/support/fake-mirror.ts';
import { healthyHost } from '../doctor/support.ts';

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type Bench = ReturnType<typeof createBench>;

const scratch = mkdtempSync(join(tmpdir(), 'wherry-commands-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type BenchOptions = {
  allowHosts?: string;
  /** To the certificate authority; without it there is none. */
  transport?: Transport;
  /** What differs of the host. */
  host?: Partial<Host>;
};

const noAuthority: Transport = async () => {
  throw new CaFault('There is no authority here');
};

/** The registry over the real store and pipeline, with a runtime that only remembers what it was told. */
export function createBench({ allowHosts, transport = noAuthority, host = {} }: BenchOptions = {}) {
  const seal = createSeal(randomBytes(32));
  const store = openStore(':memory:', seal);
  // A user who may do everything, not at the host itself.
  store.people.ensure('ann', clock.now());
  store.people.grant('ann', 'owner');
  const runtime = fakeRuntime();
  const logged: Record<string, unknown>[] = [];
  const log = recordingLog(logged);
  const locks = createLocks();
  const registry = createCoreRegistry();
  const forgotten: string[] = [];
  const moved: [string, string][] = [];
  const asked: BuildRequest[] = [];
  const pulled: string[] = [];
  const heads = new Map<string, string>();
  const repositories: string[] = [];
  const hostKeys = new Map<string, readonly ScannedKey[]>();
  const receiver = {
    head: async (app: string) => heads.get(app) ?? null,
    remove: async () => {},
    ensure: async (app: string) => void repositories.push(`made ${app}`),
    pack: async (app: string) => void repositories.push(`packed ${app}`),
    copy: async (from: string, to: string) => void heads.set(to, heads.get(from) ?? ''),
    checkout: async () => ({ commit: '1'.repeat(40), subject: 'First', dir: '/nonexistent' }),
  };
  const builder = {
    rebase: async (request: RebaseRequest) => await rebase(request, stacks),
    build: async (request: BuildRequest) => {
      asked.push(request);
      return image('2');
    },
    pull: async ({ ref }: PullImageRequest) => {
      pulled.push(ref.text);
      return { image: image('3'), digest: `sha256:${'3'.repeat(64)}` };
    },
    detect: async ({ buildpacks = [], selected, buildDir }: BuildRequest) => [
      ...buildpacks.map(({ text }) => text),
      ...[selected, buildDir].filter(text => text !== undefined),
    ],
    forget: async (app: string) => void forgotten.push(app),
    collect: async () => {},
  };
  let published = 0;
  const busy = new Map<string, number>();
  /** What the edge says that is open; undefined: it is away. */
  const edge: { open: ReadonlySet<number> | undefined } = { open: undefined };
  const dir = mkdtempSync(join(scratch, 'bench-'));
  const paths = createPaths({ data: join(dir, 'data'), cache: join(dir, 'cache') });
  mkdirSync(paths.data);
  const mirror = fakeMirror(dir);
  const stacks = createStack({ paths, layers: createLayerStore(paths), clock, makers: mirror.makers });
  const builds = createBuilds({ store, paths, clock });
  const room = createDiskRoom({ store, paths, layers: createLayerStore(paths), clock, log });
  const urls = (app: App) => urlsOf(app, store, { http: 8080, https: 8443 });
  const posted: [string, unknown][] = [];
  const synced: string[] = [];
  const during: { sync?: () => Promise<void> } = {};
  const plugins = createPluginHost({
    ...{ store, registry, urls, clock, log, dir: paths.plugins },
    deploy: async ({ name }, { url, branch, by }) => {
      synced.push(`${name} ${url.href} ${branch} ${by}`);
      await during.sync?.();
    },
    post: async (url, json) => {
      posted.push([url.href, JSON.parse(json)]);
      return 200;
    },
    applyRoutes: async () => {
      published += 1;
    },
  });
  const deployer = createDeployer({
    hooks: plugins.hooks,
    store,
    builds,
    room,
    builder: builder as unknown as Builder,
    receiver: receiver as unknown as Receiver,
    runtime,
    publishRoutes: async () => {
      published += 1;
    },
    forgetRoute: () => {},
    moveAccessLog: () => {},
    moveFolders: (from, to) => void moved.push([from, to]),
    forgetLease: async app => void busy.delete(app.name),
    urls: () => [],
    domain: parseDomain('example.org'),
    clock,
    log,
  });
  const leases = { busyUntil: (app: App) => busy.get(app.name) ?? 0 };
  const scaler = new Scaler({
    fleet: createFleet({ store, deployer, runtime, locks, clock, busyUntil: leases.busyUntil }),
    now: () => clock.now().getTime(),
    saturated: () => false,
    pressed: () => false,
    failed: () => {},
  });
  const challenges = new Challenges(deployer.applyRoutes);
  const certifier = new Certifier({
    ...{ store, transport, clock, log },
    solvers: challenges.solvers,
    applyRoutes: deployer.applyRoutes,
  });
  const volumes = createVolumes({ store, paths });
  const services: Services = {
    refusals: createRefusals({ store, clock }),
    stacks,
    rebaseAll: createRebaseAll({ store, locks, rebase: deployer.rebase }),
    scanHostKeys: async ({ host }) => hostKeys.get(host) ?? [],
    checkLogin: createLoginCheck({ allowHosts, caFile: undefined, patience: 5000 }),
    store,
    locks,
    deployer,
    builds,
    backups: createBackups({
      ...{ store, paths, clock, version: '1.2.3', domain: 'example.org', caFile: undefined },
      layers: createLayerStore(paths),
      openCopy: file => openStore(file, seal),
      storage: volumes,
      verifying: {
        drillArgv: () => ['false'],
        takeDown: async data => rmSync(data, { recursive: true, force: true }),
        isAsleep: () => false,
        httpPort: 1,
        gitUser: async () => ({ uid: 0, gid: 0 }),
        openStore: ({ database }) => openStore(database, seal),
      },
    }),
    disk: createDiskUse({ store, paths }),
    room,
    runtime,
    scaler,
    volumes,
    dataDir: paths.data,
    leases,
    host: healthyHost(host),
    hostRoom: { taken: 512 * 2 ** 20, budget: 2 ** 30 },
    certifier,
    receiver: receiver as unknown as Receiver,
    accessLogs: createAccessLogs({ dir: paths.edge, clock }),
    pageFiles: createPageFiles({ dir: paths.edge, user: () => undefined }),
    edgeMetrics: () => readEdgeMetrics(paths.edge),
    openPorts: () => edge.open,
    settings: readSettings(new Map([['domain', 'example.org']]), {}),
    urls,
    plugins,
    clock,
    version: '1.2.3',
  };
  const dispatch = createDispatch(services, registry, { locks, log, look: 10 });
  const callJson = createCallJson(services, { locks, log, look: 10 });
  const local: Actor = { name: 'local', via: 'local' };

  return {
    ...{
      services,
      store,
      runtime,
      registry,
      dispatch,
      callJson,
      locks,
      logged,
      heads,
      deployer,
      paths,
      forgotten,
      edge,
      repositories,
      hostKeys,
      moved,
      asked,
      pulled,
      posted,
      synced,
      during,
      busy,
      stacks,
      mirror,
      challenges,
    },
    published: () => published,
    run: (...words: string[]): Promise<Ran> => runWords(dispatch, { words, actor: local }),
    runWith: (given: { words: string[]; stdin?: string; actor?: Actor; signal?: AbortSignal }) =>
      runWords(dispatch, { actor: local, ...given }),
    /** An app with a live release of the processes. */
    async deployed(name: string, types: readonly string[] = ['web', 'worker'], more: Partial<Image> = {}) {
      const deployed = { ...image('1', types), ...more };
      const app = store.apps.find(parseAppName(name)) ?? deployer.create(parseAppName(name), local);
      store.images.put(deployed);
      const release = store.releases.create(app, {
        image: deployed.id,
        config: store.config.merged(app),
        description: 'Deploy 12345678 First',
        actor: 'ann',
        commit: '1'.repeat(40),
        at: clock.now(),
      });
      store.releases.promote(release);
      return app;
    },
  };
}

async function runWords(
  dispatch: (request: DispatchRequest) => Promise<number>,
  given: { words: string[]; actor: Actor; stdin?: string; signal?: AbortSignal },
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await dispatch({
    words: given.words,
    actor: given.actor,
    stdin: Readable.from(given.stdin === undefined ? [] : [Buffer.from(given.stdin)]),
    stdout: into(out),
    stderr: into(err),
    signal: given.signal ?? new AbortController().signal,
  });
  return { code, stdout: out.join(''), stderr: err.join('') };
}

export function into(parts: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      parts.push(String(chunk));
      done();
    },
  });
}

export function image(digit: string, types: readonly string[] = ['web', 'worker']): Image {
  return {
    id: `sha256:${digit.repeat(64)}`,
    layers: [],
    env: {},
    workingDir: '/workspace',
    user: { uid: 1000, gid: 1000 },
    entrypoint: [],
    processes: types.map(type => ({
      type: type as ProcessType,
      command: ['bash', '-c', `run ${type}`],
      workingDir: '/workspace',
    })),
    labels: {},
  };
}

/** What a test sets it to say, and what it was told. */
export type FakeRuntime = Runtime & {
  readonly told: { readonly verb: string; readonly desired: Desired; readonly argv?: readonly string[] }[];
  readonly says: {
    instances: InstanceView[];
    checks: CheckResult[];
    stats: InstanceStats[];
    lines: LogLine[];
    /** Thrown by whatever changes something. */
    fault: Error | undefined;
    /** Runs in the middle of every change. */
    during: ((progress: Progress | undefined, signal: AbortSignal | undefined) => Promise<void>) | undefined;
    asleep: SleepDepth | undefined;
    /** A request is in flight: the app does not go to sleep. */
    busy: boolean;
  };
};

function fakeRuntime(): FakeRuntime {
  const told: { verb: string; desired: Desired; argv?: readonly string[] }[] = [];
  const says: FakeRuntime['says'] = {
    instances: [],
    checks: [],
    stats: [],
    lines: [],
    fault: undefined,
    during: undefined,
    asleep: undefined,
    busy: false,
  };
  const change = async (
    verb: string,
    desired: Desired,
    options: { commit?: () => void; progress?: Progress; signal?: AbortSignal | undefined } = {},
  ) => {
    await says.during?.(options.progress, options.signal);
    if (says.fault) throw says.fault;
    options.commit?.();
    told.push({ verb, desired });
    return { create: 0, start: 0, ready: 0, switch: 0 };
  };
  const runtime: Partial<FakeRuntime> = {
    told,
    says,
    deploy: (desired, options) => change('deploy', desired, options),
    scale: async (desired, options) => void (await change('scale', desired, options)),
    applyLimits: async desired => void (await change('limits', desired)),
    stop: async () => {},
    remove: async () => {},
    rename: async app => void told.push({ verb: 'rename', desired: { app } as Desired }),
    reconnect: async app => void told.push({ verb: 'reconnect', desired: { app } as Desired }),
    leaveGroup: async () => {},
    asleep: () => says.asleep,
    reclaimed: () => ({ bytes: 150 * 2 ** 20, failures: 1 }),
    async sleep(_app, { depth }) {
      if (says.busy) return false;
      says.asleep = depth;
      return true;
    },
    async wake() {
      if (says.fault) throw says.fault;
      says.asleep = undefined;
    },
    async runDetached(desired, { argv }) {
      told.push({ verb: 'run', desired, argv });
      return 'run.1';
    },
    instances: () => says.instances,
    check: async (_, types) => says.checks.filter(({ dyno }) => types.includes(dyno.split('.')[0] ?? '')),
    stats: async () => says.stats,
    async *logs(_app, query) {
      const shown = says.lines.map(line => ({ ...line, text: query.show?.(line.text) ?? line.text }));
      const wanted = shown.filter(line => !query.type || line.dyno.startsWith(query.type));
      yield* query.lines === 0 ? [] : wanted.slice(-query.lines);
      if (query.follow)
        await new Promise<void>(resolve => query.signal?.addEventListener('abort', () => resolve()));
    },
  };
  return runtime as FakeRuntime;
}

function recordingLog(lines: Record<string, unknown>[]): Log {
  const record = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, ...fields });
  const log: Log = {
    child: () => log,
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
  return log;
}
