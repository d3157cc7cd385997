import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ExchangeContext } from './exchange.ts';
import { createForwarder, type Forwarder } from './forward.ts';
import type { EdgeLog } from './log.ts';
import {
  badRequest,
  noRoutes,
  noTunnels,
  notServing,
  ownFault,
  unknownHost,
  unreadable,
} from './page-texts.ts';
import { type Page, rawPage, sendPage } from './pages.ts';
import type { Plan } from './plan.ts';
import { linger } from './request-body.ts';
import { readRequestHead } from './request-head.ts';
import type { RouteTable } from './routes.ts';
import { ignoreUpgrade, isWebSocket, responseTo } from './upgrade.ts';
import { Watch } from './watch.ts';

export type EdgeServerOptions = {
  /** The table of now; undefined while none was ever known. */
  readonly table: () => RouteTable | undefined;
  readonly everySecond: (now: number) => void;
  readonly log: EdgeLog;
};

type Incoming = { req: IncomingMessage; res: ServerResponse; expects: boolean; first?: Buffer };

const nothing = Buffer.alloc(0);

/** The HTTP listener: finds the app of each request and hands it to the forwarder, or answers with a page. */
export class EdgeServer {
  readonly #options: EdgeServerOptions;
  readonly #watch: Watch;
  readonly #sockets = new Set<Socket>();
  readonly #forwarder: Forwarder;
  readonly #server: Server;
  #stopping = false;
  #port = 0;

  constructor(options: EdgeServerOptions) {
    this.#options = options;
    this.#watch = new Watch(options.everySecond);
    const context: ExchangeContext = {
      current: app => options.table()?.apps.get(app),
      port: () => this.#port,
      stopping: () => this.#stopping,
      watch: this.#watch,
      log: options.log,
    };
    this.#forwarder = createForwarder(context);
    this.#server = createListener();
    this.#attach(this.#server);
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
      for (const socket of this.#sockets) socket.destroy();
    }, timeout);
    await closed;
    clearInterval(idle);
    clearTimeout(cut);
    this.#watch.close();
  }

  #attach(server: Server): void {
    server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (req, res) => this.#guarded({ req, res, expects: false }));
    server.on('checkContinue', (req, res) => this.#guarded({ req, res, expects: true }));
    server.on('upgrade', (req, stream, first) => {
      const socket = stream as Socket;
      if (isWebSocket(req)) this.#guarded({ req, res: responseTo(req, socket), expects: false, first });
      else ignoreUpgrade(server, { req, socket, first });
    });
    server.on('connect', (_req, socket) => refuse(socket as Socket, noTunnels));
    server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
      const socket = stream as Socket;
      if (this.#watch.serves(socket)) socket.destroy();
      else refuse(socket, unreadable(error.code));
    });
  }

  #guarded(incoming: Incoming): void {
    try {
      this.#handle(incoming);
    } catch (error) {
      this.#options.log.error({ err: error, url: incoming.req.url }, 'fault while handling a request');
      this.#answer(incoming, ownFault);
    }
  }

  #handle(incoming: Incoming): void {
    const { req, res, expects, first } = incoming;
    const found = resolve(req, this.#options.table());
    if ('page' in found) {
      this.#answer(incoming, found.page);
      return;
    }
    const plan: Plan = {
      head: found.head,
      route: found.route,
      requestId: found.head.requestId ?? randomUUID(),
      peer: peerOf(req.socket),
      startedAt: Date.now(),
      expects,
      res,
    };
    if (found.head.upgrade) this.#forwarder.upgrade(req, plan, first ?? nothing);
    else this.#forwarder.web(req, plan);
  }

  #answer({ req, res, expects }: Incoming, page: Page): void {
    if (expects || this.#stopping) res.shouldKeepAlive = false;
    const { log } = this.#options;
    if (log.debugging) log.debug({ url: req.url, host: req.headers.host, status: page.status }, page.reason);
    sendPage(req, res, page);
    linger(req);
  }

  /** Node knows as idle only what has had a request; those that never sent a byte are ours to close. */
  #closeIdle(): void {
    this.#server.closeIdleConnections();
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
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

function resolve(
  req: IncomingMessage,
  table: RouteTable | undefined,
): Pick<Plan, 'head' | 'route'> | { readonly page: Page } {
  const head = readRequestHead(req);
  if ('status' in head) return { page: badRequest(head) };
  if (!table) return { page: noRoutes };
  const route = table.find(head.host);
  if (!route) return { page: unknownHost(head.host) };
  if (route.state !== 'serving' || route.pools.length === 0) return { page: notServing(route) };
  return { head, route };
}

/** IPv4 peers of a dual-stack listener in their own form. */
function peerOf(socket: Socket): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** Answers on a bare socket. */
function refuse(socket: Socket, page: Page): void {
  socket.on('error', () => {});
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawPage(page));
  setTimeout(() => socket.destroy(), 1000).unref();
}
