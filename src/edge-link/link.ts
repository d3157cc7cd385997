import { chmod, chown, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { WherryError } from '../domain/errors.ts';
import type {
  AppLoad,
  EdgeState,
  FromEdge,
  Listening,
  Routing,
  Snapshot,
  ToEdge,
  WakeCause,
} from '../domain/route.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { edgeFiles, prepareFolder } from './folder.ts';
import { Loads } from './loads.ts';
import { Peer } from './peer.ts';
import { Peers } from './peers.ts';
import { PemFiles } from './pem-files.ts';
import { ensureEdgeUser, type Ids } from './user.ts';

type Hello = Extract<FromEdge, { kind: 'hello' }>;

export interface EdgeLink {
  /** Makes the folder and listens on its socket, for root and the edge's user only. */
  listen(): Promise<void>;
  /**
   * Sends all that there is; resolves when every edge uses it, after 2 s, or at once when no edge is connected.
   * @param pem chain and key of a certificate, asked for when the edge does not have it yet
   */
  publish(routing: Routing, pem?: (certificate: string) => string | undefined): Promise<void>;
  /**
   * Resolves when no request of these targets is in flight any more, at the latest after `timeout` milliseconds. They must
   * have been left out of the last `publish`. Edges that are away have 5 s to come back.
   */
  drained(targets: readonly string[], timeout: number): Promise<void>;
  /**
   * Whether all edges use the last `publish` and have no request of these targets, which it left out, in flight. False while one
   * is away, for nobody knows what it does.
   */
  quiet(targets: readonly string[]): boolean;
  /** Where the edges listen, or the last one did. */
  address(): Listening | undefined;
  /** The same for HTTPS; undefined when it speaks none. */
  secureAddress(): Listening | undefined;
  /** The ports of apps that are open; undefined while no edge is there to tell. */
  openPorts(): ReadonlySet<number> | undefined;
  /** Resolves with whether an edge (that very process, when told) is connected within `timeout` milliseconds. */
  connected(timeout: number, pid?: number): Promise<boolean>;
  /** Resolves with whether this process takes requests within `timeout` milliseconds. */
  serving(timeout: number, pid: number): Promise<boolean>;
  /** What a connected process said that it does. */
  state(pid: number): EdgeState | undefined;
  /**
   * Has this process start another on its own listening sockets. Resolves with the new one's id.
   * @throws unavailable
   */
  spawn(pid: number, argv: readonly string[]): Promise<number>;
  /** Has this process take no more requests, finish those it has, and end. */
  retire(pid: number): void;
  /** Resolves when an edge's connection is lost, or after `timeout` milliseconds. */
  parted(timeout: number): Promise<void>;
  /** This process runs and must be heard before anything counts as drained. */
  expect(pid: number): void;
  /** This process has ended, and its requests with it. */
  gone(pid: number): void;
  /** Whom the edge runs as; undefined before `listen`, and when it stays who we are. */
  user(): Ids | undefined;
  /** A request waits for an app that sleeps; said again each second while one does. */
  onWake(callback: (app: string, cause: WakeCause) => void): void;
  /** Once a second from each edge: what the requests of the apps were that it had some of, over all edges. */
  onLoad(callback: (apps: readonly AppLoad[]) => void): void;
  /** Requests that a front of the edges took past them, told as an edge tells its own. */
  count(front: object, apps: readonly AppLoad[]): void;
  /** An edge has had more to do than it can, for a minute; said once in ten minutes at most. */
  onOverload(callback: (ms: number) => void): void;
  /** Stops listening; the edge goes on by itself. */
  close(): Promise<void>;
}

const ackTimeout = 2000;
const returnTimeout = 5000;
const spawnTimeout = 5000;
const overloadPause = 600_000;

export type EdgeLinkOptions = {
  readonly dir: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Whom the edge runs as: the user `wherry-edge` unless told; `null` for ourselves. */
  readonly user?: Ids | null;
};

export function createEdgeLink(options: EdgeLinkOptions): EdgeLink {
  return new Link(options);
}

/** Control's end of the unix socket that all edges of the folder connect to. */
class Link implements EdgeLink {
  readonly #options: EdgeLinkOptions;
  readonly #server = createServer(socket => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  readonly #waiters = new Set<() => void>();
  readonly #wakeCallbacks: ((app: string, cause: WakeCause) => void)[] = [];
  readonly #loadCallbacks: ((apps: readonly AppLoad[]) => void)[] = [];
  readonly #overloadCallbacks: ((ms: number) => void)[] = [];
  #overloadedAt = Number.NEGATIVE_INFINITY;
  #user: Ids | undefined;
  readonly #peers = new Peers();
  readonly #loads = new Loads<object>();
  #partings = 0;
  #snapshot: Snapshot | undefined;
  #address: Listening | undefined;
  #secureAddress: Listening | undefined;
  readonly #pemFiles: PemFiles;
  /** Grows over restarts too: by the clock, and past whatever an edge says it has. */
  #generation: number;

  constructor(options: EdgeLinkOptions) {
    this.#options = options;
    this.#pemFiles = new PemFiles(options.dir, () => this.#user);
    this.#generation = options.clock.now().getTime();
  }

  async listen(): Promise<void> {
    const { dir, log, user } = this.#options;
    this.#user = user === undefined ? await ensureEdgeUser() : (user ?? undefined);
    await prepareFolder(dir, this.#user);
    const { socket } = edgeFiles(dir);
    await rm(socket, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socket, resolve);
    });
    this.#server.on('error', error => log.error({ err: error }, 'edge socket'));
    if (this.#user) await chown(socket, 0, this.#user.gid);
    await chmod(socket, this.#user ? 0o660 : 0o600);
  }

  async publish(
    routing: Routing,
    pem: (certificate: string) => string | undefined = () => undefined,
  ): Promise<void> {
    // Waking an app must not cost what thousands of certificates weigh.
    if (routing.certificates === this.#snapshot?.certificates) return await this.#send(routing);
    const ids = (routing.certificates ?? []).map(({ id }) => id);
    await this.#pemFiles.add(ids, pem);
    await this.#send(routing);
    await this.#pemFiles.keep(ids);
  }

  async #send(routing: Routing): Promise<void> {
    const before = this.#snapshot;
    this.#generation++;
    const generation = this.#generation;
    this.#snapshot = { generation, ...routing };
    if (this.#peers.all.length === 0) return;
    const change = changeFrom(before, this.#snapshot);
    for (const peer of this.#peers.all) peer.send(change);
    const used = await this.#until(
      () => this.#peers.all.every(peer => peer.generation >= generation),
      ackTimeout,
    );
    if (!used) this.#options.log.warn({ generation }, 'an edge has not taken the routes within 2 s');
  }

  async drained(targets: readonly string[], timeout: number): Promise<void> {
    const deadline = this.#options.clock.ticks() + timeout;
    const left = () => Math.max(0, deadline - this.#options.clock.ticks());
    while (await this.#until(() => this.#peers.complete, Math.min(left(), returnTimeout))) {
      await this.#until(() => !this.#peers.complete || this.quiet(targets), left());
      if (this.#peers.complete || left() === 0) return;
    }
  }

  quiet(targets: readonly string[]): boolean {
    return this.#peers.complete && this.#peers.all.every(peer => this.#isQuiet(peer, targets));
  }

  address(): Listening | undefined {
    return this.#address;
  }

  secureAddress(): Listening | undefined {
    return this.#secureAddress;
  }

  openPorts(): ReadonlySet<number> | undefined {
    const peers = this.#peers.all.filter(({ state }) => state === 'serving');
    return peers.length === 0 ? undefined : new Set(peers.flatMap(({ ports }) => ports));
  }

  connected(timeout: number, pid?: number): Promise<boolean> {
    return this.#until(
      () => (pid === undefined ? this.#peers.all.length > 0 : this.#peers.get(pid) !== undefined),
      timeout,
    );
  }

  serving(timeout: number, pid: number): Promise<boolean> {
    return this.#until(() => this.state(pid) === 'serving', timeout);
  }

  state(pid: number): EdgeState | undefined {
    return this.#peers.get(pid)?.state;
  }

  async spawn(pid: number, argv: readonly string[]): Promise<number> {
    const peer = this.#peers.get(pid);
    if (peer) peer.spawned = undefined;
    peer?.send({ kind: 'spawn', argv });
    await this.#until(() => peer?.spawned !== undefined || this.#peers.get(pid) !== peer, spawnTimeout);
    const answer = peer?.spawned;
    if (answer?.kind === 'spawned') {
      this.expect(answer.pid);
      return answer.pid;
    }
    throw new WherryError(
      'unavailable',
      `Edge ${pid} could not start another: ${answer?.reason ?? 'it did not answer'}.`,
    );
  }

  retire(pid: number): void {
    this.#peers.get(pid)?.send({ kind: 'retire' });
  }

  async parted(timeout: number): Promise<void> {
    const before = this.#partings;
    await this.#until(() => this.#partings !== before, timeout);
  }

  expect(pid: number): void {
    this.#peers.expect(pid);
  }

  gone(pid: number): void {
    this.#peers.gone(pid);
    this.#wake();
  }

  user(): Ids | undefined {
    return this.#user;
  }

  onWake(callback: (app: string, cause: WakeCause) => void): void {
    this.#wakeCallbacks.push(callback);
  }

  onOverload(callback: (ms: number) => void): void {
    this.#overloadCallbacks.push(callback);
  }

  onLoad(callback: (apps: readonly AppLoad[]) => void): void {
    this.#loadCallbacks.push(callback);
  }

  count(front: object, apps: readonly AppLoad[]): void {
    const sums = this.#loads.take(front, { apps, now: this.#options.clock.ticks() });
    for (const callback of this.#loadCallbacks) callback(sums);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const peer = new Peer(socket, {
      hello: hello => this.#greet(peer, hello),
      changed: () => this.#wake(),
      overloaded: ms => this.#tellOverload(ms),
      wake: (app, cause) => {
        for (const callback of this.#wakeCallbacks) callback(app, cause);
      },
      load: apps => this.count(peer, apps),
      closed: () => {
        this.#sockets.delete(socket);
        this.#loads.drop(peer);
        this.#peers.left(peer);
        this.#partings++;
        this.#wake();
      },
    });
  }

  #greet(peer: Peer, hello: Hello): void {
    const { pid, version, state, generation } = hello;
    this.#options.log.info({ pid, version, state, generation }, 'edge connected');
    this.#peers.joined(peer, hello.pid);
    this.#address = hello.http;
    this.#secureAddress = hello.https;
    if (this.#snapshot && hello.generation !== this.#snapshot.generation) {
      if (hello.generation > this.#generation) {
        this.#generation = hello.generation + 1;
        this.#snapshot = { ...this.#snapshot, generation: this.#generation };
      }
      peer.send({ kind: 'snapshot', snapshot: this.#snapshot });
    }
    // From here on nothing counts as quiet without it.
    if (hello.state === 'starting') peer.send({ kind: 'serve' });
    this.#generation = Math.max(this.#generation, hello.generation);
    this.#wake();
  }

  /** Not as often as an edge likes: it must not be able to push all else out of the events. */
  #tellOverload(ms: number): void {
    const now = this.#options.clock.ticks();
    if (now - this.#overloadedAt < overloadPause) return;
    this.#overloadedAt = now;
    for (const callback of this.#overloadCallbacks) callback(ms);
  }

  #isQuiet(peer: Peer, targets: readonly string[]): boolean {
    if (!this.#snapshot || peer.generation < this.#snapshot.generation) return false;
    const served = new Set(this.#snapshot.routes.flatMap(route => route.targets.map(target => target.id)));
    return targets.every(target => !served.has(target) && !peer.draining.has(target));
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** Waits for a change that makes `condition` true. @returns whether it became so */
  async #until(condition: () => boolean, timeout: number): Promise<boolean> {
    if (condition()) return true;
    const over = new AbortController();
    const check = () => {
      if (condition()) over.abort();
    };
    this.#waiters.add(check);
    await this.#options.clock.sleep(timeout, over.signal).catch(() => {});
    this.#waiters.delete(check);
    return over.signal.aborted;
  }
}

/** The one route that differs, if no more than one does; else everything. */
function changeFrom(before: Snapshot | undefined, after: Snapshot): ToEdge {
  const whole: ToEdge = { kind: 'snapshot', snapshot: after };
  if (!before || before.routes.length !== after.routes.length) return whole;
  if (!isDeepStrictEqual(shared(before), shared(after))) return whole;
  const changed = after.routes.filter((route, at) => !isDeepStrictEqual(route, before.routes[at]));
  const [route] = changed;
  const same = route && before.routes.some(old => old.app === route.app);
  return same && changed.length === 1
    ? { kind: 'route', generation: after.generation, after: before.generation, route }
    : whole;
}

/** What is of no one route. */
function shared({ certificates, challenges, edge }: Snapshot): object {
  return { certificates, challenges, edge };
}
