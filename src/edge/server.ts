import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { AccessLog } from './access-log.ts';
import { type ConnectionLimits, Connections, defaultLimits } from './connections.ts';
import type { Counters } from './counters.ts';
import { inOwnWords } from './custom-pages.ts';
import type { ExchangeContext } from './exchange.ts';
import { createForwarder, type Forwarder } from './forward.ts';
import type { Gate } from './gate.ts';
import type { EdgeLog } from './log.ts';
import {
  badExpectation,
  badRequest,
  inMaintenance,
  noRoutes,
  noTunnels,
  notServing,
  ownFault,
  slowClient,
  unknownHost,
  unreadable,
} from './page-texts.ts';
import { type Page, rawPage, sendPage } from './pages.ts';
import type { Plan } from './plan.ts';
import { addProxyFront } from './proxy-front.ts';
import { linger } from './request-body.ts';
import { readRequestHead } from './request-head.ts';
import type { RouteTable } from './routes.ts';
import { SlowReaders } from './slow-readers.ts';
import { accessLine, beginTrace } from './trace.ts';
import { peerAddress } from './trusted.ts';
import { ignoreUpgrade, isAnswering, isWebSocket, responseTo } from './upgrade.ts';
import { Visitors, type VisitorsOptions } from './visitors.ts';
import { Watch } from './watch.ts';

export type EdgeServerOptions = {
  /** The table of now; undefined while none was ever known. */
  readonly table: () => RouteTable | undefined;
  readonly everySecond: (now: number) => void;
  readonly counters: Counters;
  readonly gate: Gate;
  readonly log: EdgeLog;
  readonly access?: AccessLog;
  readonly limits?: ConnectionLimits;
  /** Proxies in front of the edge; none unless told. */
  readonly proxies?: VisitorsOptions;
};

type Incoming = { req: IncomingMessage; res: ServerResponse; expects: boolean; first?: Buffer };

const nothing = Buffer.alloc(0);

/** The HTTP listener: finds the app of each request and hands it to the forwarder, or answers with a page. */
export class EdgeServer {
  readonly #options: EdgeServerOptions;
  readonly #watch: Watch;
  readonly #connections: Connections;
  readonly #slowReaders = new SlowReaders();
  readonly #visitors: Visitors;
  readonly #forwarder: Forwarder;
  /** Answered with the end of their connection: what follows is not read, it may be a part of what was refused. */
  readonly #ending = new WeakSet<Socket>();
  readonly #server: Server;
  #stopping = false;
  #port = 0;

  constructor(options: EdgeServerOptions) {
    this.#options = options;
    this.#watch = new Watch(now => this.#everySecond(now));
    this.#connections = new Connections(options.limits ?? defaultLimits, () => this.#closeIdle());
    this.#visitors = new Visitors(options.proxies ?? { trusted: undefined, proxyProtocol: false });
    const context: ExchangeContext = {
      current: app => options.table()?.apps.get(app),
      stopping: () => this.#stopping,
      watch: this.#watch,
      gate: options.gate,
      log: options.log,
      access: options.access,
    };
    this.#forwarder = createForwarder(context);
    this.#server = createListener();
    this.#attach(this.#server);
  }

  /** Of clients. */
  get connections(): number {
    return this.#connections.all.size;
  }

  /** @returns the address that is bound, which tells the port when 0 was asked for */
  async listen(address: { host: string; port: number }): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...address, backlog: 4096 }, resolve);
    });
    this.#server.on('error', error => this.#options.log.error({ err: error }, 'listener'));
    this.#port = (this.#server.address() as AddressInfo).port;
    return { host: address.host, port: this.#port };
  }

  /** Takes no more; resolves when all is answered, or cuts the rest after `timeout` milliseconds. */
  async stop(timeout: number): Promise<void> {
    this.#stopping = true;
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    const idle = setInterval(() => this.#closeIdle(), 100);
    const cut = setTimeout(() => {
      for (const socket of this.#connections.all) socket.destroy();
    }, timeout);
    await closed;
    clearInterval(idle);
    clearTimeout(cut);
    this.#watch.close();
  }

  #attach(server: Server): void {
    server.prependListener('connection', socket => this.#admit(socket));
    if (this.#visitors.readsProxyHeaders) this.#readProxyHeaders(server);
    server.on('request', (req, res) => this.#guarded({ req, res, expects: false }));
    server.on('checkContinue', (req, res) => this.#guarded({ req, res, expects: true }));
    server.on('checkExpectation', (req, res) => this.#answer({ req, res, expects: true }, badExpectation));
    server.on('upgrade', (req, stream, first) => {
      const socket = stream as Socket;
      if (isAnswering(socket)) this.#drop(socket, 'pipelined-upgrade');
      else if (isWebSocket(req)) this.#guarded({ req, res: responseTo(req, socket), expects: false, first });
      else ignoreUpgrade(server, { req, socket, first });
    });
    server.on('connect', (_req, socket) => this.#refuse(socket as Socket, noTunnels));
    server.on('clientError', (error: ClientError, stream) => this.#unreadable(error, stream as Socket));
  }

  /** Counts a connection, or closes it without a word: whoever opens too many would not read one. */
  #admit(socket: Socket): void {
    if (this.#connections.has(socket)) return;
    const excess =
      this.#connections.add(socket) ??
      (this.#visitors.isProxy(socket) ? undefined : this.#connections.addFrom(socket, peerAddress(socket)));
    if (excess !== undefined) this.#drop(socket, excess);
  }

  #readProxyHeaders(server: Server): void {
    addProxyFront(server, {
      wanted: socket => this.#visitors.isProxy(socket),
      known: (socket, origin) => {
        if (!origin) return true;
        this.#visitors.learn(socket, origin);
        const excess = this.#connections.addFrom(socket, origin.address);
        if (excess !== undefined) this.#drop(socket, excess);
        return excess === undefined;
      },
      refused: () => this.#options.counters.refuse('bad-proxy-header'),
    });
  }

  #drop(socket: Socket, reason: string): void {
    socket.on('error', () => {});
    socket.destroy();
    this.#options.counters.refuse(reason);
  }

  /** What Node's parser refused. */
  #unreadable(error: ClientError, socket: Socket): void {
    if (error.code === 'HPE_CLOSED_CONNECTION' || this.#ending.has(socket)) return;
    const served = this.#watch.servedOn(socket);
    if (served) {
      served.garbled();
      return;
    }
    const page = unreadable(error);
    // Whoever connected and never said a word has asked nothing.
    if (page === slowClient && socket.bytesRead === 0) this.#drop(socket, 'silent-connection');
    else if (isReset(error)) socket.destroy();
    else this.#refuse(socket, page);
  }

  /** Answers on a bare socket. */
  #refuse(socket: Socket, page: Page): void {
    this.#options.counters.refuse(page.reason);
    socket.on('error', () => {});
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(rawPage(page));
    setTimeout(() => socket.destroy(), 1000).unref();
  }

  #everySecond(now: number): void {
    for (const socket of this.#slowReaders.find(this.#connections.all, now))
      this.#drop(socket, 'slow-reader');
    this.#options.everySecond(now);
  }

  #guarded(incoming: Incoming): void {
    if (this.#ending.has(incoming.req.socket)) return;
    try {
      this.#handle(incoming);
    } catch (error) {
      this.#options.log.error({ err: error, url: incoming.req.url }, 'fault while handling a request');
      this.#answer(incoming, ownFault);
    }
  }

  #handle(incoming: Incoming): void {
    const { req, first } = incoming;
    const found = resolve(req, { table: this.#options.table(), trusted: this.#visitors.trusts(req.socket) });
    if ('page' in found) {
      if (found.of) this.#tell(this.#plan(incoming, found.of), incoming.req, found.page);
      this.#answer(incoming, found.of ? inOwnWords(found.page, found.of.route) : found.page);
      return;
    }
    const plan = this.#plan(incoming, found);
    if (found.head.upgrade) this.#forwarder.upgrade(req, plan, first ?? nothing);
    else this.#forwarder.web(req, plan);
  }

  #plan({ req, res, expects }: Incoming, { head, route }: Found): Plan {
    return {
      head,
      route,
      requestId: head.requestId ?? randomUUID(),
      visitor: this.#visitors.of(req.socket, head, { scheme: 'http', port: this.#port }),
      startedAt: Date.now(),
      expects,
      res,
      trace: beginTrace(req),
    };
  }

  /** In the access log of an app that is there, but gets no requests. */
  #tell(plan: Plan, req: IncomingMessage, page: Page): void {
    plan.trace.status = page.status;
    plan.route.count.answered.add(plan.head.method, page.status);
    plan.trace.reason = page.reason;
    plan.res.once('close', () => this.#options.access?.add(plan.route.app, accessLine(req, plan)));
  }

  #answer({ req, res, expects }: Incoming, page: Page): void {
    if (expects || this.#stopping) res.shouldKeepAlive = false;
    const { log, counters } = this.#options;
    counters.refuse(page.reason);
    if (log.debugging) log.debug({ url: req.url, host: req.headers.host, status: page.status }, page.reason);
    sendPage(req, res, page);
    if (!res.shouldKeepAlive) this.#ending.add(req.socket);
    linger(req);
  }

  /** Node knows as idle only what has had a request; those that never sent a byte are ours to close. */
  #closeIdle(): void {
    this.#server.closeIdleConnections();
    for (const socket of this.#connections.all) if (socket.bytesRead === 0) socket.destroy();
  }
}

function createListener(): Server {
  const server = createServer({
    highWaterMark: 65_536,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    insecureHTTPParser: false,
    requireHostHeader: false,
    headersTimeout: 10_000,
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    connectionsCheckingInterval: 2000,
  });
  // Node would leave out what is beyond the limit without a word; heads are counted in request-head.ts instead.
  server.maxHeadersCount = 0;
  return server;
}

type Found = Pick<Plan, 'head' | 'route'>;

function resolve(
  req: IncomingMessage,
  { table, trusted }: { table: RouteTable | undefined; trusted: boolean },
): Found | { readonly page: Page; readonly of?: Found } {
  const head = readRequestHead(req, trusted);
  if ('status' in head) return { page: badRequest(head) };
  if (!table) return { page: noRoutes };
  const route = table.find(head.host);
  if (!route) return { page: unknownHost(head.host) };
  if (route.maintenance) return { page: inMaintenance(route.app), of: { head, route } };
  const serves = route.state === 'asleep' || (route.state === 'serving' && route.pools.length > 0);
  if (!serves) return { page: notServing(route), of: { head, route } };
  return { head, route };
}

type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

function isReset(error: ClientError): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
