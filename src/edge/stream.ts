import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { WakeCause } from '../domain/route.ts';
import { connectTimeout } from './connection.ts';
import type { ExchangeContext } from './exchange.ts';
import type { Waiter } from './gate.ts';
import { appFailed, inMaintenance, notAllowed, notServing, wakeTimedOut } from './page-texts.ts';
import { type Pool, pick } from './pool.ts';
import type { AppRoute } from './routes.ts';
import { rounded } from './trace.ts';
import { joinTunnel } from './tunnel.ts';
import type { Watched } from './watch.ts';

type StreamContext = Pick<ExchangeContext, 'current' | 'watch' | 'gate' | 'log' | 'access'>;

type Arrival = {
  readonly socket: Socket;
  readonly route: AppRoute;
  /** Of the host. */
  readonly port: number;
  readonly client: string;
};

/** Why it was not carried, as a page would say it; a bare connection is closed without a word. */
type Refusal = { readonly status: number; readonly reason: string };

type Outcome = { readonly status: number; readonly reason?: string };

const queueTimeout = 30_000;
/** Milliseconds for which an instance that does not accept is tried again: its port may open a moment after it serves. */
const patience = 2000;
const retryPause = 100;
/** Milliseconds of silence for which a connection that one side has ended is kept. */
const halfOpen = 3_600_000;

/** One connection to a TCP port of an app, from its first to its last byte. Until an instance takes it, nothing of it is read. */
export class Stream implements Waiter, Watched {
  readonly #context: StreamContext;
  readonly #arrival: Arrival;
  readonly #begunAt = performance.now();
  readonly #startedAt = new Date();
  #pool: Pool | undefined;
  /** To the instance. */
  #app: Socket | undefined;
  /** Monotonic milliseconds since when it waits for its app to wake; 0 when it does not. */
  #waitsSince = 0;
  #wakeTime = 0;
  #connectTime = 0;
  /** Monotonic milliseconds; 0 before the first try. */
  #triedAt = 0;
  #retry: NodeJS.Timeout | undefined;
  /** 499 as long as no instance has taken it. */
  #outcome: Outcome = { status: 499 };
  #instance: string | undefined;
  #joined = false;
  #over = false;

  constructor(context: StreamContext, arrival: Arrival) {
    this.#context = context;
    this.#arrival = arrival;
  }

  get socket(): Socket {
    return this.#arrival.socket;
  }

  /** Whom the app is woken for. */
  get cause(): WakeCause {
    const { port, client } = this.#arrival;
    return { method: 'TCP', host: `port ${port}`, path: '', agent: '', peer: client };
  }

  start(): void {
    const { route } = this.#arrival;
    route.count.usage.enter(performance.now(), true);
    route.count.streams++;
    route.count.streamsBegun++;
    this.socket.on('error', () => {});
    this.socket.once('close', () => {
      if (!this.#joined) this.#end();
    });
    this.#context.watch.add(this);
    const refusal = this.#shutOut();
    if (refusal) this.#refuse(refusal);
    else this.#attempt(route);
  }

  /** The app sleeps no longer. */
  proceed(route: AppRoute | undefined): void {
    this.#stopWaiting();
    if (route) this.#attempt(route);
    else this.socket.destroy();
  }

  check(now: number): void {
    const wait = this.#arrival.route.hold?.timeout ?? queueTimeout;
    if (this.#waitsSince > 0 && now - this.#waitsSince > wait)
      this.#refuse(wakeTimedOut(this.#arrival.route.app, wait / 1000));
  }

  /** Nobody reads it for a meaning. */
  garbled(): void {}

  #shutOut(): Refusal | undefined {
    const { route, client } = this.#arrival;
    if (route.maintenance) return inMaintenance(route.app);
    const refused = route.deny?.has(client) || (route.allow && !route.allow.has(client));
    return refused ? notAllowed(route.app) : undefined;
  }

  #attempt(route: AppRoute, not?: Pool): void {
    const pool = pick(route.pools, not) ?? pick(route.pools);
    if (pool) this.#connect(pool);
    else if (route.state === 'asleep') this.#wait(route);
    else this.#refuse(notServing(route));
  }

  #wait(route: AppRoute): void {
    this.#waitsSince = performance.now();
    const page = this.#context.gate.enter(this, route);
    if (!page) return;
    this.#waitsSince = 0;
    this.#refuse(page);
  }

  #stopWaiting(): void {
    if (this.#waitsSince === 0) return;
    this.#wakeTime += performance.now() - this.#waitsSince;
    this.#waitsSince = 0;
    this.#context.gate.leave(this, this.#arrival.route);
  }

  #connect(pool: Pool): void {
    const begun = performance.now();
    this.#triedAt ||= begun;
    this.#pool = pool;
    pool.enter();
    const { host } = pool.target;
    const port = this.#containerPort;
    const app = connect({ host, port, noDelay: true, allowHalfOpen: true, autoSelectFamily: false });
    this.#app = app;
    let detail = 'no connection within 2 s';
    const timer = setTimeout(() => app.destroy(), connectTimeout);
    app.on('error', error => {
      detail = error.message;
    });
    const failed = () => {
      clearTimeout(timer);
      this.#failed(pool, detail);
    };
    app.once('close', failed);
    app.once('connect', () => {
      clearTimeout(timer);
      app.off('close', failed);
      this.#connectTime = performance.now() - begun;
      this.#join(app, pool);
    });
  }

  get #containerPort(): number {
    const { route, port } = this.#arrival;
    const mapping = (this.#context.current(route.app) ?? route).ports.get(port);
    return mapping?.scheme === 'tcp' ? mapping.container : port;
  }

  #join(app: Socket, pool: Pool): void {
    this.#outcome = { status: 200 };
    this.#instance = pool.target.id;
    this.#joined = true;
    const client = this.socket;
    resetTogether(client, app);
    resetTogether(app, client);
    const nothing = Buffer.alloc(0);
    joinTunnel(
      { socket: client, first: nothing },
      { socket: app, first: nothing },
      { halfOpen, onClose: () => this.#end() },
    );
  }

  /** Nothing of it was sent: another try is safe. */
  #failed(pool: Pool, detail: string): void {
    this.#leave();
    if (this.#over) return;
    const { route } = this.#arrival;
    if (performance.now() - this.#triedAt < patience) {
      route.count.retries++;
      this.#retry = setTimeout(
        () => this.#attempt(this.#context.current(route.app) ?? route, pool),
        retryPause,
      );
      return;
    }
    route.count.failures.refused++;
    this.#report(pool, detail);
    this.#refuse(appFailed(route.app, { kind: 'refused', detail }));
  }

  /** At most one line a second and app. */
  #report(pool: Pool, detail: string): void {
    const { route, port } = this.#arrival;
    const now = performance.now();
    if (now - route.count.reportedAt < 1000) return;
    route.count.reportedAt = now;
    const { app } = route;
    this.#context.log.warn({ app, target: pool.target.id, port, detail }, 'app takes no connection');
  }

  #refuse({ status, reason }: Refusal): void {
    this.#outcome = { status, reason };
    this.socket.destroy();
  }

  /** The instance is free of it. */
  #leave(): void {
    this.#pool?.leave();
    this.#pool = undefined;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#retry);
    this.#stopWaiting();
    this.#context.watch.delete(this);
    this.#app?.destroy();
    this.#leave();
    const { count } = this.#arrival.route;
    count.streams--;
    count.usage.leave(performance.now(), true);
    if (this.#outcome.status === 499) count.aborted++;
    this.#tell();
  }

  #tell(): void {
    const { socket, route, port, client } = this.#arrival;
    const instance = this.#instance;
    this.#context.access?.add(route.app, {
      at: this.#startedAt.toISOString(),
      client,
      method: 'TCP',
      host: '',
      path: `:${port}`,
      protocol: 'TCP',
      ...this.#outcome,
      bytesIn: socket.bytesRead,
      bytesOut: socket.bytesWritten,
      ms: {
        queue: 0,
        wake: rounded(this.#wakeTime),
        connect: rounded(this.#connectTime),
        firstByte: 0,
        total: rounded(performance.now() - this.#begunAt),
      },
      ...(instance === undefined ? {} : { instance }),
      requestId: randomUUID(),
    });
  }
}

/** Who has sent all that was to come ends a connection; who has not breaks it off, and the other side is to know. */
function resetTogether(from: Socket, to: Socket): void {
  from.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') to.resetAndDestroy();
  });
}
