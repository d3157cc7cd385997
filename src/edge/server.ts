import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { TLSSocket, Server as TlsServer } from 'node:tls';
import type { Listening, RoutePort } from '../domain/route.ts';
import type { AccessLog } from './access-log.ts';
import type { Certificates } from './certificates.ts';
import { Connections, defaultLimits } from './connections.ts';
import type { Counters } from './counters.ts';
import { inOwnWords } from './custom-pages.ts';
import type { ExchangeContext } from './exchange.ts';
import { createForwarder, type Forwarder } from './forward.ts';
import type { FrontDoor } from './front-door.ts';
import type { Gate } from './gate.ts';
import type { Http2Answer } from './http2-answer.ts';
import { Http2Front } from './http2-front.ts';
import type { Http2Request } from './http2-request.ts';
import { pageBefore, pageUnserved, type SecureListener } from './instead.ts';
import type { EdgeLog } from './log.ts';
import {
  badExpectation,
  badRequest,
  misdirected,
  noRoutes,
  noTunnels,
  notAtPort,
  ownFault,
  slowClient,
  unknownHost,
  unreadable,
  whoAreYou,
} from './page-texts.ts';
import { type Page, rawPage, sendPage } from './pages.ts';
import type { Plan } from './plan.ts';
import { Ports } from './ports.ts';
import type { Inbound, Outbound } from './protocols.ts';
import { addProxyFront } from './proxy-front.ts';
import { linger } from './request-body.ts';
import { readRequestHead } from './request-head.ts';
import type { RouteTable } from './routes.ts';
import { SignIn, type Verdict } from './sign-in.ts';
import { SlowReaders } from './slow-readers.ts';
import { Stream } from './stream.ts';
import { createTlsFront } from './tls-front.ts';
import { accessLine, beginTrace } from './trace.ts';
import { peerAddress } from './trusted.ts';
import { ignoreUpgrade, isAnswering, isWebSocket, responseTo } from './upgrade.ts';
import { type Listener, Visitors } from './visitors.ts';
import { Watch } from './watch.ts';

export type EdgeServerOptions = {
  /** The table of now; undefined while none was ever known. */
  readonly table: () => RouteTable | undefined;
  readonly everySecond: (now: number) => void;
  readonly counters: Counters;
  readonly gate: Gate;
  /** For HTTPS; none: it is not spoken. */
  readonly certificates?: Certificates;
  readonly log: EdgeLog;
  readonly access?: AccessLog;
};

type Patience = { readonly idle?: number; readonly tunnels?: number };

type Incoming = {
  readonly req: Inbound;
  readonly res: Outbound;
  readonly expects: boolean;
  readonly first?: Buffer;
  /** Whether the connection is good for a host; for those over which several are asked for. */
  readonly reaches?: (host: string) => boolean;
};

const nothing = Buffer.alloc(0);
const noSecureListener: SecureListener = { port: 0, covers: () => false };

/** The HTTP listener: finds the app of each request and hands it to the forwarder, or answers with a page. */
export class EdgeServer {
  readonly #options: EdgeServerOptions;
  readonly #watch: Watch;
  readonly #connections: Connections;
  readonly #slowReaders = new SlowReaders();
  readonly #signIn = new SignIn();
  readonly #visitors = new Visitors();
  readonly #forwarder: Forwarder;
  /** Answered with the end of their connection: what follows is not read, it may be a part of what was refused. */
  readonly #ending = new WeakSet<Socket>();
  readonly #server: Server;
  readonly #http2: Http2Front;
  readonly #context: ExchangeContext;
  /** Of clients, at TCP ports. */
  readonly #streams = new WeakSet<Socket>();
  /** Of apps. */
  readonly ports: Ports;
  #secureListener = noSecureListener;
  #secure: TlsServer | undefined;
  #stopping = false;
  #stopped: Promise<void> | undefined;
  /** Monotonic milliseconds. */
  #ends = { idle: 0, requests: 0, tunnels: 0 };
  #port = 0;
  #securePort = 0;

  constructor(options: EdgeServerOptions) {
    this.#options = options;
    this.#watch = new Watch(now => this.#everySecond(now));
    this.#connections = new Connections(defaultLimits, () => this.#closeIdle());
    this.#context = {
      current: app => options.table()?.apps.get(app),
      stopping: () => this.#stopping,
      switched: socket => this.#connections.tunnel(socket),
      watch: this.#watch,
      gate: options.gate,
      log: options.log,
      access: options.access,
    };
    this.#forwarder = createForwarder(this.#context);
    this.#server = createListener();
    this.#attach(this.#server);
    this.ports = new Ports({
      attach: (listener, port) => this.#attachPort(listener, port),
      log: options.log,
    });
    this.#http2 = new Http2Front({
      asked: (req, res) => this.#askedByHttp2(req, res),
      refused: reason => options.counters.refuse(reason),
    });
  }

  /** How connections are taken from now on; by default nobody speaks for a visitor. */
  follow({ limits, proxies }: FrontDoor): void {
    this.#connections.limit(limits);
    this.#visitors.trust(proxies);
  }

  /** Of clients. */
  get connections(): number {
    return this.#connections.count;
  }

  /**
   * @param descriptor listens there already
   * @returns the address that is bound, which tells the port when 0 was asked for
   */
  async listen(address: Listening, descriptor?: number): Promise<Listening> {
    this.#port = await this.#bind(this.#server, { address, descriptor });
    return { host: address.host, port: this.#port };
  }

  /** The same for HTTPS. Needs `certificates`. */
  async listenSecurely(address: Listening, descriptor?: number): Promise<Listening> {
    const { certificates, counters } = this.#options;
    if (!certificates) throw new Error('an edge without certificates speaks no HTTPS');
    this.#secure = createTlsFront({
      certificates,
      accepted: socket => {
        this.#connections.secured(socket);
        this.#visitors.secured(socket);
        if (socket.alpnProtocol === 'h2') this.#http2.take(socket, certificates.reach(nameOf(socket)));
        else this.#server.emit('connection', socket);
      },
      refused: reason => counters.refuse(reason),
    });
    this.#watchConnections(this.#secure);
    this.#securePort = await this.#bind(this.#secure, { address, descriptor });
    this.#secureListener = { port: this.#securePort, covers: host => certificates.covers(host) };
    return { host: address.host, port: this.#securePort };
  }

  /** For HTTP, then for HTTPS if that is spoken. */
  get listeners(): readonly NetServer[] {
    return this.#secure ? [this.#server, this.#secure] : [this.#server];
  }

  async #bind(
    server: Server | TlsServer,
    { address, descriptor }: { address: Listening; descriptor: number | undefined },
  ): Promise<number> {
    const where = descriptor === undefined ? address : { fd: descriptor };
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...where, backlog: 4096 }, resolve);
    });
    server.on('error', error => this.#options.log.error({ err: error }, 'listener'));
    return (server.address() as AddressInfo).port;
  }

  /**
   * Takes no more; resolves when all is answered, or cuts the rest after `timeout` milliseconds. When it is asked again the last
   * times hold.
   * @param patience milliseconds that idle connections have left, and tunnels
   */
  stop(timeout: number, { idle = 0, tunnels = timeout }: Patience = {}): Promise<void> {
    this.#stopping = true;
    this.#http2.stop();
    const now = performance.now();
    this.#ends = { idle: now + idle, requests: now + timeout, tunnels: now + tunnels };
    this.#closeOverdue();
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    const look = setInterval(() => this.#closeOverdue(), 100);
    await Promise.all([...this.listeners.map(closing), this.ports.close()]);
    clearInterval(look);
    // Ends its timers.
    this.#server.close();
    this.#watch.close();
  }

  #closeOverdue(): void {
    const now = performance.now();
    if (now >= this.#ends.idle) this.#closeIdle();
    if (now >= this.#ends.requests)
      for (const socket of this.#connections.all)
        if (now >= this.#ends.tunnels || !this.#connections.isTunnel(socket)) socket.destroy();
  }

  #attach(server: Server): void {
    this.#watchConnections(server);
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

  /** Its connections are carried to an app, or served as those of the two listeners for all apps. */
  #attachPort(listener: NetServer, { scheme, port }: RoutePort): void {
    if (scheme === 'tcp' || scheme === 'h2c') {
      const serve = (socket: Socket) =>
        scheme === 'tcp' ? this.#carry(socket, port) : this.#http2.take(socket, () => true);
      listener.on('connection', serve);
      this.#watchConnections(listener);
      return;
    }
    listener.on('connection', socket => {
      const server = scheme === 'http' ? this.#server : this.#secure;
      if (server) server.emit('connection', socket);
      else socket.destroy();
    });
  }

  #carry(socket: Socket, port: number): void {
    const route = this.#options.table()?.streamsAt(port);
    if (socket.destroyed || !route) {
      socket.destroy();
      return;
    }
    this.#connections.tunnel(socket);
    this.#streams.add(socket);
    new Stream(this.#context, { socket, route, port, client: this.#visitors.addressOf(socket) }).start();
  }

  /** Counts a connection, or closes it without a word: whoever opens too many would not read one. */
  #admit(socket: Socket): void {
    // One whose TLS was taken off was counted when it came.
    if (this.#connections.has(socket) || isSecure(socket)) return;
    const excess =
      this.#connections.add(socket) ??
      (this.#visitors.isProxy(socket) ? undefined : this.#connections.addFrom(socket, peerAddress(socket)));
    if (excess !== undefined) this.#drop(socket, excess);
  }

  /** Before anything else is done with a connection. */
  #watchConnections(server: NetServer): void {
    server.prependListener('connection', socket => this.#admit(socket));
    addProxyFront(server, {
      wanted: socket => !isSecure(socket) && this.#visitors.tellsOrigin(socket),
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
      if (hasLeft(error)) socket.destroy();
      else served.garbled();
      // Its parser says the same of all that follows.
      this.#ending.add(socket);
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
    // Whoever opens a bare connection may leave it unread as long as they like.
    const readers = this.#connections.all.filter(socket => !this.#streams.has(socket));
    for (const reader of this.#slowReaders.find([...readers, ...this.#http2.answers], now)) {
      reader.destroy();
      this.#options.counters.refuse('slow-reader');
    }
    this.#http2.everySecond(now);
    this.#signIn.everySecond();
    this.ports.everySecond();
    this.#options.everySecond(now);
  }

  #askedByHttp2(req: Http2Request, res: Http2Answer): void {
    const { fault, reaches } = req;
    const expectation = req.headers.expect;
    const incoming = { req, res, expects: expectation !== undefined, reaches };
    if (req.method === 'CONNECT') this.#answer(incoming, noTunnels);
    else if (fault) this.#answer(incoming, badRequest(fault));
    else if (expectation !== undefined && expectation.toLowerCase() !== '100-continue')
      this.#answer(incoming, badExpectation);
    else this.#guarded(incoming);
  }

  #guarded(incoming: Incoming): void {
    if (this.#ending.has(incoming.req.socket)) return;
    try {
      this.#handle(incoming);
    } catch (error) {
      this.#fault(incoming, error);
    }
  }

  #fault(incoming: Incoming, error: unknown): void {
    this.#options.log.error({ err: error, url: incoming.req.url }, 'fault while handling a request');
    this.#answer(incoming, ownFault);
  }

  #handle(incoming: Incoming): void {
    const { req, res } = incoming;
    const found = resolve(incoming, {
      table: this.#options.table(),
      trusted: this.#visitors.trusts(req.socket),
      port: this.#appPort(req.socket),
    });
    if ('challenge' in found) {
      res.writeHead(200, 'OK', ['Content-Type', 'application/octet-stream']);
      res.end(found.challenge);
      return;
    }
    if ('page' in found) {
      this.#answer(incoming, found.page);
      return;
    }
    const plan = this.#plan(incoming, found);
    // Whoever asks at a port of the app's own is served there.
    const secure = this.#appPort(req.socket) === undefined ? this.#secureListener : noSecureListener;
    const page = pageBefore(plan, secure);
    if (page) this.#answerFor(plan, incoming, page);
    else this.#admitVisitor(plan, incoming);
  }

  /** Who has to be asked for a password is answered later: hashing takes its time. */
  #admitVisitor(plan: Plan, incoming: Incoming): void {
    const { rawHeaders } = incoming.req;
    const verdict = this.#signIn.check(plan.route.auth, { rawHeaders, client: plan.visitor.client });
    if (typeof verdict === 'string') this.#serve(plan, incoming, verdict);
    else void verdict.then(later => this.#resume(plan, incoming, later));
  }

  /** Things may have changed meanwhile: the visitor may be gone, the app have other instances. */
  #resume(plan: Plan, incoming: Incoming, verdict: Verdict): void {
    const { socket } = incoming.req;
    if (incoming.res.destroyed || socket.destroyed || socket.writableEnded) return;
    const route = this.#options.table()?.apps.get(plan.route.app) ?? plan.route;
    try {
      this.#serve({ ...plan, route }, incoming, verdict);
    } catch (error) {
      this.#fault(incoming, error);
    }
  }

  #serve(plan: Plan, incoming: Incoming, verdict: Verdict): void {
    const page = whoAreYou(plan.route.app, verdict) ?? pageUnserved(plan);
    if (page) this.#answerFor(plan, incoming, page);
    else if (plan.head.upgrade) this.#forwarder.upgrade(incoming.req, plan, incoming.first ?? nothing);
    else this.#forwarder.web(incoming.req, plan);
  }

  #answerFor(plan: Plan, incoming: Incoming, page: Page): void {
    this.#tell(plan, incoming.req, page);
    this.#answer(incoming, inOwnWords(page, plan.route));
  }

  #plan({ req, res, expects }: Incoming, { head, route }: Found): Plan {
    return {
      head,
      route,
      requestId: head.requestId ?? randomUUID(),
      visitor: this.#visitors.of(req.socket, head, this.#listener(req.socket)),
      startedAt: Date.now(),
      expects,
      res,
      trace: beginTrace(req),
    };
  }

  /** In the access log of an app that is there, but gets no requests. */
  #tell(plan: Plan, req: Inbound, page: Page): void {
    plan.trace.status = page.status;
    plan.route.count.answered.add(plan.head.method, page.status);
    plan.trace.reason = page.reason;
    plan.res.once('close', () => this.#options.access?.add(plan.route.app, accessLine(req, plan)));
  }

  #listener(socket: Socket): Listener {
    const port = this.#appPort(socket);
    return isSecure(socket)
      ? { scheme: 'https', port: port ?? this.#securePort }
      : { scheme: 'http', port: port ?? this.#port };
  }

  /** The port that was connected to, where it is not one of the two for all apps. */
  #appPort({ localPort }: Socket): number | undefined {
    return localPort === undefined || localPort === this.#port || localPort === this.#securePort
      ? undefined
      : localPort;
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
    this.#http2.closeIdle();
    for (const socket of this.#connections.all)
      if (socket.bytesRead === 0 && !this.#streams.has(socket)) socket.destroy();
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
  { req, reaches }: Incoming,
  { table, trusted, port }: { table: RouteTable | undefined; trusted: boolean; port: number | undefined },
): Found | { readonly page: Page } | { readonly challenge: string } {
  const head = readRequestHead(req, trusted);
  if ('status' in head) return { page: badRequest(head) };
  if (!table) return { page: noRoutes };
  const answer = challengeAnswer(head, table);
  if (answer !== undefined) return { challenge: answer };
  if (reaches?.(head.host) === false) return { page: misdirected };
  const route = table.find(head.host);
  if (!route) return { page: unknownHost(head.host) };
  if (port !== undefined && !route.ports.has(port)) return { page: notAtPort(head.host, port) };
  return { head, route };
}

const challengePath = '/.well-known/acme-challenge/';

/** What a certificate authority that asks for a challenge of ours is answered (RFC 8555 section 8.3). */
function challengeAnswer({ target }: { target: string }, table: RouteTable): string | undefined {
  if (!target.startsWith(challengePath)) return undefined;
  const token = target.slice(challengePath.length);
  return Object.hasOwn(table.challenges, token) ? table.challenges[token] : undefined;
}

/** An HTTP server's own `close` would cut off idle clients in the middle of sending their next request. */
function closing(server: NetServer): Promise<void> {
  return new Promise(resolve => NetServer.prototype.close.call(server, () => resolve()));
}

/** What the client asked for by SNI. */
function nameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as { readonly servername?: unknown };
  return typeof servername === 'string' ? servername.toLowerCase() : undefined;
}

function isSecure(socket: Socket): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true;
}

type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** Within its request. */
function hasLeft(error: ClientError): boolean {
  return isReset(error) || error.code === 'HPE_INVALID_EOF_STATE';
}

function isReset(error: ClientError): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
