import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Certifier } from './acme/certifier.ts';
import { Challenges } from './acme/challenges.ts';
import { createTransport } from './acme/transport.ts';
import { createOnce } from './api/once.ts';
import { openTcpApi } from './api/open.ts';
import { createApi } from './api/server.ts';
import { createBackups } from './backup/backups.ts';
import { createBackupTimer } from './backup/timer.ts';
import { drillFolder } from './backup/verify.ts';
import { mostWantedFirst } from './boot-order.ts';
import { createBuilds } from './build/builds.ts';
import { createDiskRoom } from './build/disk-room.ts';
import { createDiskUse } from './build/disk-use.ts';
import { createHostKeyScan } from './build/fetch/host-keys.ts';
import { createPost } from './build/fetch/post-json.ts';
import {
  createBuilder,
  createLayerStore,
  createNightly,
  createRebaseAll,
  createRebaseTimer,
  createStack,
} from './build/index.ts';
import { createLoginCheck } from './build/registry/check-login.ts';
import { createAuthenticate } from './commands/authenticate.ts';
import { createCallJson } from './commands/call-json.ts';
import { createDispatch } from './commands/dispatch.ts';
import { guardGit } from './commands/git-access.ts';
import { createGitLogins, createSubmoduleKeys, sshIdentityOf } from './commands/git-logins.ts';
import { registry } from './commands/index.ts';
import { createRefusals } from './commands/refusals.ts';
import { Timetable } from './cron/timetable.ts';
import { createCronWorkers } from './cron-workers.ts';
import { unfinishedDestroys } from './deploy/destroy.ts';
import { moveFolders } from './deploy/move-folders.ts';
import { pushHandler } from './deploy/push-handler.ts';
import { unfinishedRenames } from './deploy/rename.ts';
import { createDeployer, type Deployer } from './deploy.ts';
import { thisHost } from './doctor/this-host.ts';
import type { App } from './domain/app.ts';
import { edgeKey, readEdgePolicy } from './domain/edge-settings.ts';
import { errorPages, pageKey, pageSumsKey, readAnswers } from './domain/error-page.ts';
import { hostKey, memoryBudget } from './domain/host-memory.ts';
import { parseAppName, parseProcessType } from './domain/names.ts';
import { appPorts, isGrpc, portsKey } from './domain/port-map.ts';
import { proxyTypeKey, proxyTypeSetting } from './domain/proxy-type.ts';
import { proxyKey, readRoutePolicy } from './domain/proxying.ts';
import type { Progress } from './domain/push.ts';
import { readHoldPolicy, sleepKey } from './domain/sleeping.ts';
import {
  createAccessLogs,
  createEdgeLink,
  createPageFiles,
  fingerprint,
  readEdgeMetrics,
  serveMetrics,
} from './edge-link/index.ts';
import { createEngine } from './engine/index.ts';
import { inFrontOf } from './fast-path/index.ts';
import { createFleet } from './fleet.ts';
import { hideSecrets } from './hide-secrets.ts';
import { createFront, openIngress } from './ingress.ts';
import { Leases } from './lease/leases.ts';
import { networksOf } from './networks.ts';
import { claimPid } from './pid-file.ts';
import { keepHelp } from './plugin/help-file.ts';
import { createPluginHost } from './plugin/host.ts';
import { createReceiver } from './receive/index.ts';
import { createRouteBook } from './route-book.ts';
import { createRuntime } from './runtime/create.ts';
import { Room } from './scale/room.ts';
import { Scaler } from './scale/scaler.ts';
import type { Settings } from './settings.ts';
import { createSshServer } from './ssh/server.ts';
import { loadKey, saveKeys } from './store/key-file.ts';
import { createSeal } from './store/seal.ts';
import { openStore, type Store } from './store/store.ts';
import { createDatabaseUpkeep } from './store/upkeep.ts';
import { systemClock as clock } from './system/clock.ts';
import { unlessDiskRefuses } from './system/disk-trouble.ts';
import { every, never } from './system/every.ts';
import { exec } from './system/exec.ts';
import { armFault } from './system/fault.ts';
import { createLocks } from './system/locks.ts';
import { createLog } from './system/log.ts';
import { createMemoryPressure } from './system/memory-pressure.ts';
import { createPaths } from './system/paths.ts';
import { readProxies } from './system/proxy.ts';
import { programRoot } from './system/root.ts';
import { createSaturation } from './system/saturation.ts';
import { ensureSystemUser } from './system/system-user.ts';
import { urlsOf } from './urls.ts';
import { createVolumeWatch } from './volumes/watch.ts';
import { createVolumes } from './volumes.ts';

/** The composition root: builds every concrete thing and joins the back edges. Resolves when it takes pushes and requests. */
export async function runDaemon(
  settings: Settings,
  { isDrill = false }: { isDrill?: boolean } = {},
): Promise<{ close(): Promise<void> }> {
  // Beside the real one, nothing is done by itself.
  const regularly = isDrill ? never : every;
  let hide = (line: string) => line;
  const log = createLog('wherry', undefined, line => hide(line));
  armFault(settings.fault);
  if (settings.fault) log.warn(settings.fault, 'this daemon was started to break there');
  const paths = createPaths({ data: settings.data, cache: settings.cache });
  // Others pass through to reach the repositories and the edge's folder, which have owners of their own; they list nothing.
  mkdirSync(paths.data, { recursive: true });
  chmodSync(paths.data, 0o711);
  const freePid = claimPid(paths.pidFile);

  const keys = loadKey(paths.secretKey, paths.database);
  const seal = createSeal(keys, next => saveKeys(paths.secretKey, next));
  const store = openStore(paths.database, seal, error =>
    log.error({ err: error }, 'an event could not be kept'),
  );
  hide = hideSecrets(store, clock.ticks);
  process.on('uncaughtException', error => {
    log.error({ err: error }, 'a fault ends the daemon; what runs goes on');
    process.exit(1);
  });
  store.releases.abandonPending();
  store.builds.abandonRunning(clock.now());
  const locks = createLocks();
  const layers = createLayerStore(paths);
  const engine = createEngine(settings.engine, {
    root: paths.engine,
    tag: paths.tag,
    layerPath: layers.layerPath,
    layerRoots: layers.roots,
    buildRoots: [paths.builds],
    mapUsers: settings.mapUsers,
    log,
    clock,
  });
  await engine.open();

  const volumes = createVolumes({ store, paths });
  await volumes.restore((name, error) => {
    log.error({ err: error, name }, 'storage could not be mounted');
    const message = `Storage ${name} could not be mounted: apps that mount it do not start. The daemon's log says why.`;
    store.events.add({ at: clock.now(), kind: 'storage', message });
  });
  const leases = new Leases({ dir: paths.leases, clock, log });
  const later: { deployer?: Deployer; room?: Room } = {};
  const edgeLink = createEdgeLink({ dir: paths.edge, log, clock });
  const front = createFront(
    proxyTypeSetting.parse(store.properties.get('global', proxyTypeKey) ?? proxyTypeSetting.usual),
    { dir: paths.front, listen: settings.http, link: edgeLink, clock, log },
  );
  const edgePorts = { http: settings.http.port, https: settings.https?.port };
  const routeBook = createRouteBook(store, front ? inFrontOf(edgeLink, front) : edgeLink, {
    hold: app =>
      readHoldPolicy(
        name => store.properties.resolve(app.id, sleepKey(name)),
        required(later.deployer).scaling(app, parseProcessType('web')).wakeTimeout,
      ),
    answers: app => readAnswers(name => store.properties.get(`app:${app.id}`, name)),
    policy: app => {
      const policy = readRoutePolicy(name => store.properties.resolve(app.id, proxyKey(name)));
      return isGrpc(store.properties.list(`app:${app.id}`, portsKey)) ? { ...policy, h2c: true } : policy;
    },
    ports: app => appPorts(store.properties.list(`app:${app.id}`, portsKey), edgePorts),
    edge: () => {
      const policy = readEdgePolicy(name => store.properties.get('global', edgeKey(name)));
      return front ? front.policy(policy) : policy;
    },
    others: () => plugins.routes(),
    proofs: {
      answers: () => challenges.answers(),
      certificates: () => challenges.certificates(),
      pem: id => challenges.pem(id),
    },
  });
  const challenges = new Challenges(routeBook.publish);
  const certifier = new Certifier({
    store,
    transport: createTransport({
      caFile: settings.caFile || undefined,
      proxies: readProxies(process.env),
      agent: `wherry/${version()}`,
    }),
    solvers: challenges.solvers,
    applyRoutes: routeBook.publish,
    clock,
    log,
  });
  const runtime = createRuntime({
    engine,
    sink: routeBook,
    clock,
    log,
    logsDir: paths.logs,
    mounts: async (app, type) => [await leases.mount(app), ...(await volumes.mounts(app, type))],
    networks: app => networksOf(store, app),
    event: (app, kind, message) => store.events.add({ at: clock.now(), app, kind, message }),
    // A disk that takes nothing must not keep an app from waking; a later start finds out what runs.
    noteSleep: ({ id, name }, depth) =>
      void unlessDiskRefuses(
        () => store.properties.set(`app:${id}`, 'asleep', depth),
        error => log.error({ err: error, app: name }, 'it could not be noted how an app sleeps'),
      ),
    admit: need => required(later.room).take(need),
    readyTimeout: settings.readyTimeout * 1000,
  });
  const stacks = createStack({ paths, layers, clock });
  const builder = createBuilder({
    stack: stacks,
    paths,
    engine,
    layers,
    log,
    clock,
    buildpacksDir: join(programRoot, 'buildpacks'),
    ...(settings.caFile ? { caFile: settings.caFile } : {}),
    allowHosts: settings.allowHosts,
    nodeMirror: settings.nodeMirror,
    gitLogin: createGitLogins(store, clock),
    sshIdentity: () => sshIdentityOf(store),
    submoduleIdentity: createSubmoduleKeys(store, clock),
    credentials: (app, registry) => store.credentials.find('registry', store.apps.find(app), registry),
    memory: settings.buildMemory,
    takeMemory: turn =>
      required(later.room).take({
        ...{ app: turn.app, bytes: turn.memory, patience: Number.POSITIVE_INFINITY, yields: true },
        ...{ signal: turn.signal, onWait: turn.onWait },
      }),
  });

  const builds = createBuilds({ store, paths, clock });
  const disk = createDiskUse({ store, paths });
  const backups = createBackups({
    ...{ store, paths, layers, clock, version: version(), domain: settings.domain },
    openCopy: file => openStore(file, seal),
    storage: volumes,
    caFile: settings.caFile || undefined,
    verifying: {
      drillArgv: dir => drillArgv(dir, settings),
      takeDown: async data => await endDrill(data, settings),
      isAsleep: ({ name }) => runtime.asleep(store.apps.get(parseAppName(name))) !== undefined,
      httpPort: settings.http.port,
      gitUser: async () => await ensureSystemUser('wherry-git'),
      openStore: files => openStore(files.database, createSeal(loadKey(files.secretKey, files.database))),
    },
  });
  await backups.sweep();
  const room = createDiskRoom({ store, paths, layers, clock, log });

  const urls = (app: App) =>
    urlsOf(app, store, {
      http: (front ? undefined : edgeLink.address()?.port) ?? settings.http.port,
      https: edgeLink.secureAddress()?.port,
    });
  const unattended: Progress = {
    header() {},
    step() {},
    detail() {},
    raw() {},
    warn: text => log.warn({}, text),
  };
  const accessLogs = createAccessLogs({ dir: paths.edge, clock });
  // What a crash left of a rename comes first: nothing serves under either name yet.
  const renames = unfinishedRenames(store);
  for (const { app, from } of renames) moveFolders(paths, from, app.name);
  const receiver = createReceiver({
    paths,
    handler: pushHandler({
      store,
      autocreate: settings.autocreate,
      deployer: () => required(later.deployer),
    }),
    locks,
    log,
    clock,
  });
  await receiver.open();
  const help = keepHelp(registry, { file: paths.pluginHelp, log });
  const plugins = createPluginHost({
    ...{ store, registry: help.registry, urls, clock, log, dir: paths.plugins },
    applyRoutes: routeBook.publish,
    async deploy({ name }, { url, branch, by }) {
      const lock = { holder: `a deploy by ${by}`, wait: 1_800_000 };
      await locks.with(name, lock, async () => {
        const app = store.apps.get(name);
        const from = { url, ref: branch, build: 'changed', keepBranch: app.deployBranch !== null } as const;
        const actor = { name: by, via: 'platform' } as const;
        await required(later.deployer).sync(app, from, { actor, progress: unattended });
      });
    },
    post: createPost({
      ...{ allowHosts: settings.allowHosts, caFile: settings.caFile || undefined },
      ...{ proxies: readProxies(process.env), agent: `wherry/${version()}` },
    }),
  });
  const deployer = createDeployer({
    hooks: plugins.hooks,
    store,
    builder,
    builds,
    room,
    receiver,
    runtime,
    publishRoutes: routeBook.publish,
    forgetRoute: routeBook.forget,
    moveFolders: (from, to) => moveFolders(paths, from, to),
    moveAccessLog: accessLogs.rename,
    forgetLease: app => leases.forget(app),
    urls,
    domain: settings.domain,
    clock,
    log,
  });
  later.deployer = deployer;
  const scaler = new Scaler({
    fleet: createFleet({
      ...{ store, deployer, runtime, locks, clock },
      busyUntil: app => leases.busyUntil(app),
    }),
    now: () => clock.now().getTime(),
    saturated: createSaturation(),
    pressed: createMemoryPressure(),
    failed: (app, error) => log.error({ err: error, app }, 'scaling failed'),
  });
  const hostRoom = new Room({
    budget: () => memoryBudget(totalmem(), name => store.properties.get('global', hostKey(name))),
    used: () => runtime.reserved(),
    makeRoom: app => scaler.makeRoom(app),
    sleep: clock.sleep,
    now: clock.ticks,
  });
  later.room = hostRoom;
  edgeLink.onLoad(loads => scaler.load(loads));
  edgeLink.onOverload(ms => {
    const message =
      `An edge process is overloaded: for a minute, half of its work waited ${Math.round(ms)} ms or longer. ` +
      'Start the daemon with more --edge-workers.';
    store.events.add({ at: clock.now(), kind: 'edge', message });
  });
  edgeLink.onWake((app, cause) => void scaler.wake(app, cause));
  const rebaseAll = createRebaseAll({ store, locks, rebase: deployer.rebase });

  await edgeLink.listen();
  const pageFiles = createPageFiles({ dir: paths.edge, user: () => edgeLink.user() });
  await pageFiles.restore(ownPages(store));
  const ingress = await openIngress({
    front,
    frontDir: paths.front,
    dir: paths.edge,
    http: settings.http,
    https: settings.https,
    link: edgeLink,
    argv: edgeArgv(),
    workers: settings.edgeWorkers,
    version: `${version()}-${await fingerprint(mainFile())}`,
    fell(said) {
      const message = `An edge process ended by itself and another takes its place. Its last words: ${said || 'none'}`;
      store.events.add({ at: clock.now(), kind: 'edge', message });
    },
    log,
    clock,
  });
  const listening = leases.openAll(store.apps.list());
  const going = unfinishedDestroys(store);
  const staying = store.apps.list().filter(app => going.every(({ id }) => id !== app.id));
  const wanted = staying.flatMap(app => deployer.desired(app) ?? []);
  await runtime.recover(mostWantedFirst(wanted, accessLogs.lastLine));
  const byItself = { actor: { name: 'wherry', via: 'platform' }, progress: unattended } as const;
  for (const app of going)
    await deployer
      .destroy(app, byItself)
      .catch(error =>
        log.error({ err: error, app: app.name }, 'an app that was being destroyed is not gone yet'),
      );
  await routeBook.publish();
  // Who says that it is busy is known before any may be put to sleep.
  await listening;
  const timetable = new Timetable({
    workers: createCronWorkers({ store, deployer, runtime, clock }),
    clock,
    log,
  });
  const cron = regularly(5000, async () => void timetable.tick(), { clock, log });
  for (const { app, from } of renames) {
    const lock = { holder: 'a rename that was cut off', wait: 1_800_000 };
    const doing = { actor: { name: 'wherry', via: 'platform' }, progress: unattended } as const;
    locks
      .with(app.name, lock, async () => await deployer.settleRename(store.apps.get(app.name), from, doing))
      .catch(error =>
        log.error({ err: error, app: app.name }, 'a rename that was cut off could not be ended'),
      );
  }
  const watchVolumes = createVolumeWatch(volumes, (app, message) =>
    store.events.add({ at: clock.now(), app, kind: 'storage-full', message }),
  );
  const watching = every(30_000, watchVolumes, { clock, log });
  const lookAfterDatabase = createDatabaseUpkeep({ store, database: paths.database, clock, log });
  const copying = regularly(60_000, lookAfterDatabase, { clock, log });
  const backUp = createBackupTimer({ store, backups, clock, log });
  const leaving = new AbortController();
  const backingUp = regularly(30_000, async () => await backUp(leaving.signal), { clock, log });
  const scaling = every(1000, async () => void scaler.tick(), { clock, log });
  if (!isDrill) certifier.soon();
  const renewals = regularly(60_000, () => certifier.tick(), { clock, log });

  if (!isDrill) await plugins.open();
  const refusals = createRefusals({ store, clock });
  const services = {
    refusals,
    plugins,
    stacks,
    rebaseAll,
    checkLogin: createLoginCheck(settings),
    scanHostKeys: createHostKeyScan(settings),
    store,
    locks,
    deployer,
    builds,
    backups,
    disk,
    room,
    runtime,
    scaler,
    leases,
    volumes,
    dataDir: paths.data,
    host: thisHost,
    hostRoom,
    certifier,
    receiver,
    accessLogs,
    pageFiles,
    edgeMetrics: () => readEdgeMetrics(paths.edge),
    openPorts: () => edgeLink.openPorts(),
    settings,
    urls,
    clock,
    version: version(),
  };
  const dispatch = createDispatch(services, registry, { locks, log });
  const callJson = createCallJson(services, { locks, log });
  const once = createOnce({ kept: store.answers, now: clock.now });
  const api = createApi({
    socket: paths.apiSocket,
    ...{ dispatch, callJson, registry, once, log },
    version: version(),
  });
  await api.listen();
  const tcpApi =
    settings.api &&
    (await openTcpApi({
      ...{ callJson, registry, once, log, clock },
      version: version(),
      address: settings.api,
      files: { certificate: settings.apiCertificate, key: settings.apiKey },
      plain: settings.apiPlain,
      authenticate: createAuthenticate({ store, clock }),
      refused(address, secret) {
        // One that is known all the same has expired.
        const token = secret === undefined ? undefined : store.tokens.find(secret);
        refusals.login({
          via: 'api',
          address,
          ...(token ? { user: token.user, credential: token.name } : {}),
        });
      },
    }));
  const ssh = createSshServer({
    address: settings.ssh,
    hostKeysDir: paths.hostKeys,
    findKey: fingerprint => store.keys.byFingerprint(fingerprint),
    receiver: guardGit(receiver, { store, clock, log }),
    dispatch,
    refusals,
    log,
    clock,
  });
  const sshAddress = await ssh.listen();
  const metrics = settings.metrics && (await serveMetrics(settings.metrics, services.edgeMetrics));
  const rebaseTimer = createRebaseTimer({
    clock,
    log,
    at: () => store.properties.get('global', 'rebase-at'),
    work: createNightly({ stack: stacks, rebaseAll, log }),
  });
  store.sealed.settle(clock.now()).catch(error => {
    log.error({ err: error }, 'a change of the secret key could not be ended; both keys are kept');
    const message =
      'The change of the secret key could not be ended, both keys are kept. Run secrets:rotate.';
    store.events.add({ at: clock.now(), kind: 'secrets', message });
  });
  log.info({ ssh: sshAddress, http: front ? settings.http : edgeLink.address(), data: paths.data }, 'ready');
  if (!isDrill) {
    builder
      .prepare(unattended)
      .catch(error =>
        log.error({ err: error }, 'the stack could not be prepared; the first push tries again'),
      );
    // What a daemon that died left of one.
    if (existsSync(drillFolder(paths)))
      endDrill(drillFolder(paths), settings).catch(error =>
        log.error({ err: error }, 'what is left of a drill could not be deleted'),
      );
  }

  return {
    async close() {
      // A build goes on without its client; nobody below waits for one.
      help.stop();
      await plugins.close();
      await cron.close();
      await scaling.close();
      await watching.close();
      leaving.abort();
      await backingUp.close();
      await copying.close();
      await certifier.close();
      await renewals.close();
      await rebaseTimer.close();
      await builds.close();
      await metrics?.close();
      await ssh.close();
      await tcpApi?.close();
      await api.close();
      await receiver.close();
      await ingress.leave();
      await edgeLink.close();
      await runtime.close();
      await leases.close();
      await engine.close();
      store.close();
      freePid();
    },
  };
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('used before the daemon was put together');
  return value;
}

export function version(): string {
  const file = join(programRoot, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** The pages that apps have of their own. */
function ownPages(store: Store): string[] {
  const scopes = store.apps.list().map(app => `app:${app.id}`);
  const named = scopes.filter(scope => store.properties.get(scope, pageSumsKey) !== undefined);
  return named.flatMap(scope => errorPages.flatMap(page => store.properties.get(scope, pageKey(page)) ?? []));
}

/** The command that starts an edge process. */
function edgeArgv(): string[] {
  return [...programArgv(), 'edge'];
}

/** This same program, under whatever runs it now (node, or tsx in development). */
function programArgv(): string[] {
  return [process.execPath, ...process.execArgv, mainFile()];
}

/** In a network namespace of its own: the ports are its own too, and apps reach nobody. */
function drillArgv({ data, cache }: { data: string; cache: string }, settings: Settings): string[] {
  return [
    ...['unshare', '--net', '--', ...programArgv(), 'drill'],
    ...['--data', data, '--cache', cache, '--domain', settings.domain, '--engine', settings.engine],
    ...['--ssh', '127.0.0.1:2222', '--http', `127.0.0.1:${settings.http.port || 80}`],
    ...['--https', settings.https ? `127.0.0.1:${settings.https.port || 443}` : 'none'],
    ...['--ready-timeout', String(settings.readyTimeout), '--map-users', String(settings.mapUsers)],
  ];
}

/** Away from this host's network too: what is left of one may have chosen addresses that are in use here. */
async function endDrill(data: string, { engine }: Settings): Promise<void> {
  const down = ['down', '--data', data, '--engine', engine, '--purge'];
  await exec('unshare', ['--net', '--', ...programArgv(), ...down], { timeout: 120_000 });
}

function mainFile(): string {
  return fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url));
}
