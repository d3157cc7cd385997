// The edge process: binds, gives up root, serves from the last snapshot, and follows control for as long as it lives.
import { once } from 'node:events';
import { resolve } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { EdgeState, Snapshot, ToEdge } from '../domain/route.ts';
import { deadline } from '../system/deadline.ts';
import { AccessLog } from './access-log.ts';
import { listen } from './bind.ts';
import { Certificates } from './certificates.ts';
import { ControlLink } from './control-link.ts';
import { createCounters } from './counters.ts';
import { CustomPages } from './custom-pages.ts';
import { frontDoor } from './front-door.ts';
import { Gate } from './gate.ts';
import { createEdgeLog } from './log.ts';
import { LoopLag } from './loop-lag.ts';
import { renderMetrics } from './metrics.ts';
import { serveMetrics } from './metrics-server.ts';
import { parseEdgeOptions } from './options.ts';
import { dropPrivileges, parseUser } from './privileges.ts';
import { buildTable, type RouteTable } from './routes.ts';
import { EdgeServer } from './server.ts';
import { inheritedPorts, startSibling } from './sibling.ts';
import { createSnapshotWriter, merged, readSnapshot, takesTargets } from './snapshot-file.ts';
import { readStickyKey } from './sticky.ts';
import { Targets } from './targets.ts';

const drainTimeout = 30_000;
/** One whose place another has taken hinders nobody: requests that wait for an app to wake, and tunnels, have time. */
const retirement = { requests: 120_000, idle: 10_000, tunnels: 300_000 };
/** Milliseconds that one with the sockets of another waits for control before it serves from the snapshot on disk. */
const wordTimeout = 2000;

/** Runs until SIGTERM; prints `ready` on stdout when it takes requests. */
export async function runEdge(argv: readonly string[]): Promise<void> {
  const log = createEdgeLog();
  try {
    await run(argv, log);
  } catch (error) {
    if (!(error instanceof WherryError)) log.error({ err: error }, 'the edge could not start');
    else log.error({ code: error.code }, error.message);
    log.flush();
    process.exit(1);
  }
}

async function run(argv: readonly string[], log: ReturnType<typeof createEdgeLog>): Promise<void> {
  const options = parseEdgeOptions(argv);
  const user = options.user === undefined ? undefined : await parseUser(options.user);
  // Paths are relative from here on: the folders above may be closed to the unprivileged user.
  if (!options.inherit) process.chdir(resolve(options.dir));
  // A fault in one request must not end all others: it is logged, and what it left open ends by its time limit.
  process.on('uncaughtException', error => log.error({ err: error }, 'fault'));

  let table: RouteTable | undefined;
  let stickyKey: Buffer = Buffer.alloc(0);
  let current: Snapshot | undefined;
  const certificates = new Certificates();
  const counters = createCounters();
  const lag = new LoopLag({ log, overloaded: ms => link?.send({ kind: 'overloaded', ms }) });
  const pages = new CustomPages('pages', log);
  const access = new AccessLog({ dir: 'access' });
  const targets = new Targets(target => link?.send({ kind: 'drained', target }));
  const gate = new Gate({ wake: (app, cause) => link?.send({ kind: 'wake', app, cause }) });
  const apply = (snapshot: Snapshot) => {
    const retireOthers = targets.sync(snapshot);
    table = buildTable(snapshot, {
      pools: targets.pools,
      counters,
      stickyKey,
      pageText: sum => pages.text(sum),
    });
    certificates.use(snapshot.certificates ?? []);
    if (snapshot.edge !== current?.edge) server.follow(frontDoor(snapshot.edge));
    current = snapshot;
    if (state !== 'starting') opened = openPorts();
    retireOthers();
    gate.changed(table);
    void pages.sync(snapshot);
    void access.keep(new Set(table.apps.keys()));
  };
  /** Of apps. */
  const openPorts = (): Promise<void> => {
    const host = current?.edge?.portsAt ?? options.http.host;
    return server.ports.follow({ host, ports: table?.ports ?? new Map() });
  };
  const told = () => {
    const ports = [...server.ports.listeners.keys()];
    return { draining: targets.draining(), ...(ports.length > 0 && { ports }) };
  };
  let opened = Promise.resolve();
  let state: EdgeState = options.inherit ? 'starting' : 'serving';
  let allLoads = false;
  const server = new EdgeServer({
    table: () => table,
    everySecond(now) {
      lag.everySecond(now);
      targets.sweep(now);
      gate.everySecond();
      const apps = counters.loads(now, allLoads);
      allLoads = false;
      if (apps.length > 0) link?.send({ kind: 'load', apps });
    },
    counters,
    gate,
    certificates,
    log,
    access,
  });
  const own = options.inherit ? undefined : await listen(server, options);
  if (user) dropPrivileges(user);
  await access.open();
  stickyKey = await readStickyKey('sticky.key');
  const last = await readSnapshot('snapshot.json');
  if (last) apply(last);
  const metrics = await serveMetrics(`metrics-${process.pid}.sock`, () =>
    renderMetrics({
      counters,
      connections: server.connections,
      loopLag: lag.worst,
      droppedLines: access.dropped,
      generation: current?.generation ?? 0,
    }),
  ).catch(error => log.error({ err: error }, 'metrics are not served'));
  const writer = createSnapshotWriter('snapshot.json', error =>
    log.error({ err: error }, 'snapshot not stored'),
  );
  // Whoever hears that a target is left out ends it: an edge that dies then must not come back with it.
  let stored = Promise.resolve();
  const { http, https } = own ?? options;
  const mayServe = new AbortController();
  const retired = new AbortController();
  const link: ControlLink = new ControlLink({
    socketPath: 'control.sock',
    log,
    hello() {
      allLoads = true;
      return {
        kind: 'hello',
        generation: table?.generation ?? 0,
        pid: process.pid,
        version: options.version,
        state,
        http,
        ...(https && { https }),
        ...told(),
      };
    },
    onMessage: message => {
      switch (message.kind) {
        case 'serve':
          return mayServe.abort();
        case 'retire':
          return retired.abort();
        case 'spawn':
          startSibling(message.argv, { own: server.listeners, ports: server.ports.listeners }).then(
            pid => link.send({ kind: 'spawned', pid }),
            error => link.send({ kind: 'spawn-failed', reason: error.message }),
          );
          return;
        default:
          return take(message);
      }
    },
  });
  const take = (message: Extract<ToEdge, { kind: 'snapshot' | 'route' }>): void => {
    const next = merged(current, message);
    if (!next) {
      link.greet();
      return;
    }
    if (next.generation > (current?.generation ?? 0)) {
      const gone = current !== undefined && takesTargets(current, next);
      apply(next);
      // Whoever took the place of this one stores what it is told.
      const written = state === 'retiring' ? writer.settled() : writer.save(next);
      if (gone) stored = written;
    }
    // Of now: what comes before this is sent may have to be stored first.
    const generation = current?.generation ?? 0;
    void Promise.all([stored, opened]).then(() => link.send({ kind: 'applied', generation, ...told() }));
  };
  if (!own) {
    await turned(AbortSignal.any([mayServe.signal, deadline(wordTimeout)]));
    await listen(server, options);
    server.ports.inherit(inheritedPorts(options.https ? 5 : 4));
    state = 'serving';
    await Promise.all([stored, openPorts()]);
    link.greet();
  }
  process.stdout.write('ready\n');
  log.info({ http, https, generation: last?.generation, uid: process.getuid?.() }, 'serving');

  const stopped = stopSignal();
  await Promise.race([stopped, turned(retired.signal)]);
  if (retired.signal.aborted) {
    state = 'retiring';
    log.info({}, 'another has taken over; finishing what there is');
    link.greet();
    const { requests, ...patience } = retirement;
    await Promise.race([stopped, server.stop(requests, patience)]);
  }
  log.info({}, 'stopping');
  link.close();
  metrics?.close();
  await server.stop(drainTimeout);
  await writer.settled();
  await access.close();
  log.flush();
  process.exit(0);
}

function turned(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, 'abort');
}

function stopSignal(): Promise<void> {
  return new Promise(stop => {
    process.once('SIGTERM', () => stop());
    process.once('SIGINT', () => stop());
  });
}
