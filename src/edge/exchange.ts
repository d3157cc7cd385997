import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WakeCause } from '../domain/route.ts';
import type { AccessLog } from './access-log.ts';
import { Answer, switchingHead } from './answer.ts';
import { Connection, type ConnectionUser, type Failure } from './connection.ts';
import { inOwnWords } from './custom-pages.ts';
import { type Gate, insteadOfWaiting, isIgnored, type Waiter } from './gate.ts';
import type { EdgeLog } from './log.ts';
import {
  appBusy,
  appFailed,
  appSlow,
  bodyTooLarge,
  malformed,
  notServing,
  noUpgrade,
  slowClient,
  unknownHost,
  wakeTimedOut,
} from './page-texts.ts';
import { type Page, sendPage } from './pages.ts';
import { type Plan, record } from './plan.ts';
import { type Pool, pick } from './pool.ts';
import type { Inbound, Outbound } from './protocols.ts';
import { RequestBody } from './request-body.ts';
import { hasBody } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import type { AppRoute } from './routes.ts';
import { instanceOf, type Sticky, stickyCookie } from './sticky.ts';
import { accessLine } from './trace.ts';
import { joinTunnel } from './tunnel.ts';
import type { Upstream } from './upstream.ts';
import type { Watch, Watched } from './watch.ts';

export type ExchangeContext = {
  /** The app's route of now, for a second try. */
  current(app: string): AppRoute | undefined;
  /** No connection is to be kept open after its answer. */
  stopping(): boolean;
  /** The client's connection is a tunnel from now on. */
  switched(client: Socket): void;
  readonly watch: Watch;
  readonly gate: Gate;
  readonly log: EdgeLog;
  /** None in tests that need none. */
  readonly access: AccessLog | undefined;
};

const queueTimeout = 30_000;
/** Characters of a path or agent that are told. */
const longestShown = 200;
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** One request and its answer, from the choice of an instance to the last byte. */
export class Exchange implements ConnectionUser, Watched, Waiter {
  readonly #context: ExchangeContext;
  readonly #plan: Plan;
  readonly #req: Inbound;
  readonly #res: Outbound;
  /** What the client sent after the head of an upgrade. */
  readonly #first: Buffer;
  readonly #body: RequestBody | undefined;
  readonly #answer: Answer;
  #pool: Pool | undefined;
  #connection: Upstream | undefined;
  /** The visitor is to be told which instance is theirs. */
  #sticky: Sticky | undefined;
  /** Keeps its app awake. */
  readonly #counts: boolean;
  /** Monotonic milliseconds since when it waits for its app to wake; 0 when it does not. */
  #waitsSince = 0;
  #acquiredAt = 0;
  #sentAt = 0;
  #tries = 0;
  #continued = false;
  #answering = false;
  #done = false;

  constructor(context: ExchangeContext, req: Inbound, plan: Plan, first: Buffer) {
    this.#context = context;
    this.#plan = plan;
    this.#req = req;
    this.#res = plan.res;
    this.#first = first;
    this.#answer = new Answer(req, plan.res);
    this.#counts = plan.route.hold === undefined || !isIgnored(plan.route.hold, this);
    const { framing } = plan.head;
    const limit = framing.kind === 'chunked' ? plan.route.bodyLimit : Number.POSITIVE_INFINITY;
    const excess = () => this.#giveUp(bodyTooLarge(plan.route));
    this.#body = hasBody(plan.head)
      ? new RequestBody(req, { chunked: framing.kind === 'chunked', limit, excess })
      : undefined;
  }

  get socket(): Socket {
    return this.#req.socket;
  }

  /** Whom the app is woken for. */
  get cause(): WakeCause {
    const { head, visitor } = this.#plan;
    return {
      method: head.method,
      host: head.host,
      path: this.path,
      agent: this.agent,
      peer: visitor.client,
    };
  }

  start(): void {
    const { count } = this.#plan.route;
    count.requests++;
    count.usage.enter(performance.now(), this.#counts);
    this.#res.on('close', () => this.#closed());
    this.#context.watch.add(this);
    const { head, route } = this.#plan;
    if (head.framing.kind === 'length' && head.framing.bytes > route.bodyLimit)
      this.#reply(bodyTooLarge(route));
    else if (route.h2c && head.upgrade) this.#reply(noUpgrade(route.app));
    else this.#attempt(route, {});
  }

  ready(connection: Upstream): void {
    if (this.#done) {
      connection.destroy();
      return;
    }
    this.#connection = connection;
    if (this.#plan.expects && !this.#continued) {
      this.#continued = true;
      this.#res.writeContinue();
    }
    this.#sentAt = performance.now();
    this.#noteStart(connection);
    connection.begin(this.#plan.head, this.#plan);
    this.#body?.sendTo(connection, connection.tells || (connection.reused && this.#repeatable));
  }

  head(head: ResponseHead): void {
    if (head.status < 200 && head.status !== 101) {
      if (head.status === 103) this.#answer.hints(head);
      return;
    }
    this.#answering = true;
    this.#body?.letGo();
    this.#plan.trace.firstByte = performance.now() - this.#sentAt;
    this.#pool?.answered(this);
    if (this.#plan.trace.wake > 0)
      head.headers.push('Server-Timing', `wake;dur=${Math.round(this.#plan.trace.wake)}`);
    const { hsts } = this.#plan.route;
    if (hsts !== undefined && this.#plan.visitor.scheme === 'https' && !hasHsts(head.headers))
      head.headers.push('Strict-Transport-Security', hsts);
    if (this.#sticky && this.#pool)
      head.headers.push('Set-Cookie', stickyCookie(this.#sticky, this.#pool, this.#plan.visitor.scheme));
    if (head.status === 101) {
      this.#switch(head);
      return;
    }
    if (this.#context.stopping()) this.#res.shouldKeepAlive = false;
    this.#answer.head(head);
  }

  data(piece: Buffer, last: boolean): void {
    this.#answer.data(piece, last, this.#connection);
  }

  end(trailers: readonly string[]): void {
    this.#answer.end(trailers);
    this.#connection?.release(this.#body?.sent ?? true);
    this.#finish(this.#res.statusCode);
  }

  settled(): void {
    this.#answer.flush();
  }

  drain(): void {
    this.#body?.drain();
  }

  lost(failure: Failure): void {
    if (this.#done) return;
    this.#plan.route.count.failures[failure.kind]++;
    const connection = this.#connection;
    const pool = this.#pool;
    this.#connection = undefined;
    this.#leave();
    if (connection === undefined) pool?.refused();
    const route = this.#context.current(this.#plan.route.app) ?? this.#plan.route;
    if (this.#mayRetry({ failure, connection, pool, route })) {
      this.#plan.route.count.retries++;
      this.#body?.detach();
      const elsewhere = connection === undefined || connection.untouched;
      this.#attempt(route, elsewhere && pool ? { not: pool } : { fresh: true });
      return;
    }
    this.#report(failure, pool);
    this.#reply(appFailed(route.app, failure));
  }

  /** At most one line a second and app, without the address asked for, which may hold secrets. */
  #report(failure: Failure, pool: Pool | undefined): void {
    const { app, count } = this.#plan.route;
    const now = performance.now();
    if (now - count.reportedAt < 1000) return;
    count.reportedAt = now;
    this.#context.log.warn({ app, target: pool?.target.id, failure }, 'app failed');
  }

  check(now: number): void {
    // Node does not tell an answer that waits behind another one on a connection that the connection is gone.
    if (this.socket.destroyed) {
      this.#closed();
      return;
    }
    const late = this.#late(now);
    if (late) this.#giveUp(late);
  }

  /** A request that came whole gets its answer, and the connection ends with it. */
  garbled(): void {
    if (this.#req.complete) this.#closeAfter();
    else if (this.#answering) this.socket.destroy();
    else this.#giveUp(malformed);
  }

  #closeAfter(): void {
    if (!this.#res.headersSent) this.#res.shouldKeepAlive = false;
    else this.#res.once('finish', () => this.socket.destroySoon());
  }

  /** The app sleeps no longer. */
  proceed(route: AppRoute | undefined): void {
    this.#stopWaiting();
    if (route) this.#attempt(route, {});
    else this.#reply(unknownHost(this.#plan.head.host));
  }

  #late(now: number): Page | undefined {
    const { app, hold, responseTimeout } = this.#plan.route;
    if (this.#waitsSince > 0) {
      const patience = hold?.timeout ?? queueTimeout;
      return now - this.#waitsSince > patience ? wakeTimedOut(app, patience / 1000) : undefined;
    }
    if (this.#body && !this.#body.sent && !this.#plan.route.h2c && this.#body.tooSlow(now)) return slowClient;
    if (this.#answering) return undefined;
    // A connection being made has a timer of its own.
    if (!this.#connection) return now - this.#acquiredAt > queueTimeout ? appBusy(app) : undefined;
    if (this.#body?.awaitsClient) return undefined;
    const since = Math.max(this.#sentAt, this.#body?.progressAt ?? 0);
    if (now - since <= responseTimeout) return undefined;
    this.#plan.route.count.failures.timeout++;
    return appSlow(app, responseTimeout / 1000);
  }

  /** Without the query, which may hold secrets. */
  get path(): string {
    const { target } = this.#plan.head;
    const query = target.indexOf('?');
    return (query < 0 ? target : target.slice(0, query)).slice(0, longestShown);
  }

  get agent(): string {
    return (this.#req.headers['user-agent'] ?? '').slice(0, longestShown);
  }

  get #repeatable(): boolean {
    return repeatable.has(this.#plan.head.method) && this.#plan.head.upgrade === undefined;
  }

  #attempt(route: AppRoute, wish: { not?: Pool; fresh?: boolean }): void {
    const pool = this.#choose(route, wish.not);
    if (!pool) {
      if (route.state === 'asleep') this.#wait(route);
      else this.#reply(notServing(route));
      return;
    }
    this.#tries++;
    this.#pool = pool;
    this.#acquiredAt = performance.now();
    pool.enter();
    const taken = pool.acquire(this, { fresh: wish.fresh === true, repeatable: this.#repeatable });
    if (!taken) this.#giveUp(appBusy(route.app));
  }

  /** Until the app is awake; the body stays unread meanwhile. */
  #wait(route: AppRoute): void {
    const { method } = this.#plan.head;
    const instead = insteadOfWaiting(route, {
      method,
      accept: this.#req.headers.accept ?? '',
      ignored: !this.#counts,
    });
    if (instead && this.#counts) this.#context.gate.knock(route.app, this.cause);
    const page = instead ?? this.#context.gate.enter(this, route);
    if (page) this.#reply(page);
    else this.#waitsSince = performance.now();
  }

  #stopWaiting(): void {
    if (this.#waitsSince === 0) return;
    this.#plan.trace.wake += performance.now() - this.#waitsSince;
    this.#waitsSince = 0;
    this.#context.gate.leave(this, this.#plan.route);
  }

  /** The visitor's own instance, where the app wants that and it can, or one that has little to do. */
  #choose(route: AppRoute, not: Pool | undefined): Pool | undefined {
    this.#sticky = route.sticky;
    if (route.sticky && !not) {
      const own = instanceOf(route.sticky, this.#req.headers.cookie);
      if (own && !own.suspect) {
        this.#sticky = undefined;
        return own;
      }
    }
    return pick(route.pools, not);
  }

  /** Once; and only when the app cannot have acted on the first try, or acting twice is the same as once. */
  #mayRetry(lost: {
    failure: Failure;
    connection: Upstream | undefined;
    pool: Pool | undefined;
    route: AppRoute;
  }): boolean {
    if (this.#tries > 1 || this.#answering || this.#res.destroyed) return false;
    if (lost.connection === undefined) return lost.route.pools.some(pool => pool !== lost.pool);
    if (lost.connection.untouched) return this.#body?.replayable ?? true;
    const untouched = lost.failure.kind === 'closed' && lost.connection.reused && !lost.connection.answered;
    return untouched && this.#repeatable && (this.#body?.replayable ?? true);
  }

  #switch(head: ResponseHead): void {
    const connection = this.#connection;
    const { socket: client } = this.#req;
    if (!(connection instanceof Connection)) return;
    const { socket: app, rest } = connection.detach();
    const pool = this.#pool;
    this.#pool = undefined;
    (this.#res as ServerResponse).detachSocket(client);
    client.write(switchingHead(head), 'latin1');
    this.#finish(101);
    this.#plan.route.count.tunnels++;
    this.#context.switched(client);
    const onClose = () => {
      pool?.done(this);
      pool?.leave();
      this.#plan.route.count.tunnels--;
      this.#plan.route.count.usage.leave(performance.now(), this.#counts);
      this.#tell();
    };
    joinTunnel({ socket: client, first: this.#first }, { socket: app, first: rest }, { onClose });
  }

  #noteStart(connection: Upstream): void {
    const { trace } = this.#plan;
    const connect = connection.reused ? 0 : connection.connectTime;
    trace.connect += connect;
    trace.queue += this.#sentAt - this.#acquiredAt - connect;
    trace.instance = this.#pool?.target.id;
  }

  /** Once, when the last byte is on its way. */
  #tell(): void {
    const { route, trace } = this.#plan;
    if (trace.told) return;
    trace.told = true;
    this.#context.access?.add(route.app, accessLine(this.#req, this.#plan));
  }

  #closed(): void {
    this.#clientClosed();
    this.#tell();
  }

  #clientClosed(): void {
    if (this.#done) return;
    this.#plan.route.count.aborted++;
    this.#connection?.destroy();
    this.#finish(499);
  }

  #giveUp(page: Page): void {
    this.#connection?.destroy();
    this.#leave();
    this.#reply(page);
  }

  /** With a page of the edge's, or by cutting the client off when the app's answer has begun. */
  #reply(page: Page): void {
    if (this.#done) return;
    const cut = this.#res.headersSent;
    this.#plan.trace.reason = page.reason;
    if (this.#context.stopping() || (this.#plan.expects && !this.#continued))
      this.#res.shouldKeepAlive = false;
    this.#finish(cut ? 499 : page.status);
    sendPage(this.#req, this.#res, inOwnWords(page, this.#plan.route));
  }

  #finish(status: number): void {
    if (this.#done) return;
    this.#done = true;
    this.#leave();
    this.#stopWaiting();
    // A tunnel goes on.
    if (status !== 101) this.#plan.route.count.usage.leave(performance.now(), this.#counts);
    this.#connection = undefined;
    this.#context.watch.delete(this);
    this.#plan.trace.bytesIn = this.#body?.received ?? 0;
    if (this.#body && !this.#body.sent) this.#body.discard();
    record(this.#plan, status, this.#context.log);
  }

  #leave(): void {
    const pool = this.#pool;
    if (!pool) return;
    this.#pool = undefined;
    pool.done(this);
    pool.leave();
  }
}

function hasHsts(headers: readonly string[]): boolean {
  return headers.some((name, at) => at % 2 === 0 && /^strict-transport-security$/i.test(name));
}
