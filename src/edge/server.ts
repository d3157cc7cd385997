import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ExchangeContext, Plan } from './exchange.ts';
import { createForwarder } from './forward.ts';
import type { EdgeLog } from './log.ts';
import {
  badRequest,
  headerTooLarge,
  malformed,
  noRoutes,
  noTunnels,
  notServing,
  ownFault,
  slowClient,
  unknownHost,
} from './page-texts.ts';
import { type Page, rawPage, sendPage } from './pages.ts';
import { linger } from './request-body.ts';
import { readRequestHead } from './request-head.ts';
import type { RouteTable } from './routes.ts';
import { ignoreUpgrade, responseTo } from './upgrade.ts';
import { Watch } from './watch.ts';

export type EdgeServer = {
  listen(address: { host: string; port: number }): Promise<{ host: string; port: number }>;
  /** Takes no more; resolves when all is answered, or cuts the rest after `timeout` milliseconds. */
  stop(timeout: number): Promise<void>;
};

export type EdgeServerOptions = {
  /** The table of now; undefined while none was ever known. */
  readonly table: () => RouteTable | undefined;
  readonly everySecond: (now: number) => void;
  readonly log: EdgeLog;
};

type Incoming = { req: IncomingMessage; res: ServerResponse; expects: boolean; first?: Buffer };

export function createEdgeServer(options: EdgeServerOptions): EdgeServer {
  const { log } = options;
  let stopping = false;
  let port = 0;
  const watch = new Watch(options.everySecond);
  const tunnels = new Set<Socket>();
  const context: ExchangeContext = {
    current: app => options.table()?.apps.get(app),
    port: () => port,
    stopping: () => stopping,
    watch,
    tunnels,
    log,
  };
  const forwarder = createForwarder(context);

  const answer = ({ req, res, expects }: Incoming, page: Page) => {
    if (expects || stopping) res.shouldKeepAlive = false;
    if (log.debugging) log.debug({ url: req.url, host: req.headers.host, status: page.status }, page.reason);
    sendPage(req, res, page);
    linger(req);
  };

  const handle = (incoming: Incoming) => {
    const { req, res } = incoming;
    const found = resolve(req, options.table());
    if ('page' in found) return answer(incoming, found.page);
    const plan: Plan = {
      ...found,
      requestId: found.head.requestId ?? randomUUID(),
      peer: peerOf(req.socket),
      startedAt: Date.now(),
      expects: incoming.expects,
      res,
    };
    if (found.head.upgrade) forwarder.upgrade(req, plan, incoming.first ?? Buffer.alloc(0));
    else forwarder.web(req, plan);
  };

  const guarded = (incoming: Incoming) => {
    try {
      handle(incoming);
    } catch (error) {
      log.error({ err: error, url: incoming.req.url }, 'fault while handling a request');
      answer(incoming, ownFault);
    }
  };

  const server = createServer({
    highWaterMark: 65_536,
    noDelay: true,
    insecureHTTPParser: false,
    requireHostHeader: false,
    headersTimeout: 10_000,
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    connectionsCheckingInterval: 2000,
  });
  // Node would leave out what is beyond the limit without a word; heads are counted in request-head.ts instead.
  server.maxHeadersCount = 0;
  server.on('request', (req, res) => guarded({ req, res, expects: false }));
  server.on('checkContinue', (req, res) => guarded({ req, res, expects: true }));
  server.on('upgrade', (req, stream, first) => {
    const socket = stream as Socket;
    if (isWebSocket(req)) guarded({ req, res: responseTo(req, socket), expects: false, first });
    else ignoreUpgrade(server, { req, socket, first });
  });
  server.on('connect', (_req, socket) => refuse(socket as Socket, noTunnels));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    refuse(socket as Socket, pageFor(error.code), watch.serves(socket as Socket)),
  );

  return {
    async listen(address) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ ...address, backlog: 4096 }, resolve);
      });
      server.on('error', error => log.error({ err: error }, 'listener'));
      const bound = server.address() as AddressInfo;
      port = bound.port;
      return { host: address.host, port };
    },
    async stop(timeout) {
      stopping = true;
      await drained(server, { watch, tunnels, timeout });
      watch.close();
    },
  };
}

type Resolved = Pick<Plan, 'head' | 'route'> | { readonly page: Page };

function resolve(req: IncomingMessage, table: RouteTable | undefined): Resolved {
  const head = readRequestHead(req);
  if ('status' in head) return { page: badRequest(head) };
  if (!table) return { page: noRoutes };
  const route = table.find(head.host);
  if (!route) return { page: unknownHost(head.host) };
  if (route.state !== 'serving' || route.pools.length === 0) return { page: notServing(route) };
  return { head, route };
}

function isWebSocket(req: IncomingMessage): boolean {
  const head = readRequestHead(req);
  return 'status' in head || head.upgrade !== undefined;
}

/** IPv4 peers of a dual-stack listener in their own form. */
function peerOf(socket: Socket): string {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function pageFor(code: string | undefined): Page {
  if (code === 'HPE_HEADER_OVERFLOW') return headerTooLarge;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? slowClient : malformed;
}

/** Answers on a bare socket, unless an answer is on its way there already. */
function refuse(socket: Socket, page: Page, busy = false): void {
  socket.on('error', () => {});
  if (busy || !socket.writable) socket.destroy();
  else {
    socket.end(rawPage(page));
    setTimeout(() => socket.destroy(), 1000).unref();
  }
}

async function drained(
  server: Server,
  state: { watch: Watch; tunnels: Set<Socket>; timeout: number },
): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const cut = setTimeout(() => {
    for (const socket of state.tunnels) socket.destroy();
    server.closeAllConnections();
  }, state.timeout);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
