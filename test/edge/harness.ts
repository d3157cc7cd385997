import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { Route, RoutePolicy, Routing, Target, WakeCause } from '../../src/domain/route.ts';
import { type Counters, createCounters } from '../../src/edge/counters.ts';
import { type FrontDoor, frontDoor } from '../../src/edge/front-door.ts';
import { Gate } from '../../src/edge/gate.ts';
import { buildTable, type RouteTable } from '../../src/edge/routes.ts';
import { EdgeServer, type EdgeServerOptions } from '../../src/edge/server.ts';
import { Targets } from '../../src/edge/targets.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs after the test, last first. */
export function cleanUp(action: () => Promise<void> | void): void {
  cleanups.push(action);
}

export type TestEdge = {
  readonly port: number;
  readonly targets: Targets;
  readonly counters: Counters;
  readonly drained: string[];
  /** Each time that control was asked to wake an app. */
  readonly woken: ({ app: string } & WakeCause)[];
  readonly logged: { fields: Record<string, unknown>; message: string }[];
  readonly stop: (timeout: number) => Promise<void>;
  apply(routes: readonly Route[], shared?: Omit<Routing, 'routes'>): void;
  readonly server: EdgeServer;
  table(): RouteTable | undefined;
};

/** The edge's server in this process, on a port of its own. */
export async function startTestEdge(
  routes?: readonly Route[],
  {
    pageText,
    limits,
    proxies,
    host = '127.0.0.1',
    ...more
  }: Partial<EdgeServerOptions & FrontDoor> & {
    pageText?: (sum: string) => string | undefined;
    host?: string;
  } = {},
): Promise<TestEdge> {
  let table: RouteTable | undefined;
  let generation = 0;
  const drained: string[] = [];
  const logged: TestEdge['logged'] = [];
  const note = (fields: object, message: string) =>
    void logged.push({ fields: fields as Record<string, unknown>, message });
  const log = { debugging: true, child: () => log, debug: note, info: note, warn: note, error: note };
  const counters = createCounters();
  const targets = new Targets(target => drained.push(target));
  const woken: TestEdge['woken'] = [];
  const gate = new Gate({ wake: (app, cause) => woken.push({ app, ...cause }) });
  const server = new EdgeServer({
    table: () => table,
    everySecond(now) {
      targets.sweep(now);
      gate.everySecond();
    },
    counters,
    gate,
    log,
    ...more,
  });
  server.follow({ ...frontDoor(), ...(limits && { limits }), ...(proxies && { proxies }) });
  const apply = (next: readonly Route[], shared: Omit<Routing, 'routes'> = {}) => {
    const snapshot = { generation: ++generation, routes: next, ...shared };
    more.certificates?.use(snapshot.certificates ?? []);
    const retire = targets.sync(snapshot);
    table = buildTable(snapshot, {
      pools: targets.pools,
      counters,
      stickyKey: Buffer.alloc(32, 'k'),
      ...(pageText && { pageText }),
    });
    retire();
    void server.ports.follow({ host, ports: table.ports });
    gate.changed(table);
  };
  if (routes) apply(routes);
  const { port } = await server.listen({ host, port: 0 });
  cleanUp(async () => {
    await server.stop(0);
    targets.closeIdle();
  });
  return {
    port,
    targets,
    counters,
    drained,
    woken,
    logged,
    server,
    stop: timeout => server.stop(timeout),
    apply,
    table: () => table,
  };
}

/** A route of the app `demo` at demo.test to these ports. */
export function demo(...ports: number[]): Route[] {
  return [{ app: 'demo', domains: ['demo.test'], state: 'serving', targets: ports.map(targetAt) }];
}

export function demoWith(policy: RoutePolicy, ...ports: number[]): Route[] {
  return demo(...ports).map(route => ({ ...route, policy }));
}

export function targetAt(port: number): Target {
  return { id: `demo-${port}`, host: '127.0.0.1', port };
}

/** An app as a Node server. */
export async function startApp(listener: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createHttpServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanUp(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

export type RawApp = {
  readonly port: number;
  /** What each connection received, in the order of their coming. */
  readonly received: string[];
  readonly sockets: Socket[];
};

/** An app that speaks bytes: `answer` is called with each piece that came. */
export async function startRawApp(
  answer: (socket: Socket, text: string, connection: number) => void,
  allowHalfOpen = false,
  port = 0,
): Promise<RawApp> {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const server = createTcpServer({ allowHalfOpen }, socket => {
    const connection = sockets.push(socket) - 1;
    received.push('');
    socket.setDefaultEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', chunk => {
      const text = chunk.toString('latin1');
      received[connection] += text;
      answer(socket, text, connection);
    });
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  cleanUp(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received, sockets };
}

export const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

export type RawClient = {
  readonly socket: Socket;
  text(): string;
  send(text: string): void;
  /** Resolves with all that came once it matches; rejects after 5 s. */
  until(pattern: RegExp | string): Promise<string>;
  closed(): Promise<string>;
};

/** A client that speaks bytes. */
export async function openClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let isClosed = false;
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  await new Promise<void>(resolve => socket.once('connect', resolve));
  cleanUp(() => void socket.destroy());
  const wait = async (done: () => boolean, what: string) => {
    const end = Date.now() + 5000;
    while (!done()) {
      if (Date.now() > end) throw new Error(`no ${what} within 5 s; came: ${JSON.stringify(text)}`);
      await pause(5);
    }
    return text;
  };
  return {
    socket,
    text: () => text,
    send: piece => void socket.write(piece, 'latin1'),
    until: pattern =>
      wait(
        () => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)),
        String(pattern),
      ),
    closed: () => wait(() => isClosed, 'close'),
  };
}

/** Sends one request and returns all that came until the edge closed. */
export async function exchange(port: number, request: string): Promise<string> {
  const client = await openClient(port);
  client.send(request);
  return client.closed();
}

/** A GET of demo.test that ends its connection. */
export function get(path = '/', headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: demo.test\r\n${headers}Connection: close\r\n\r\n`;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

/** Waits until it holds (a throw counts as not yet); fails after 15 s unless told. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  timeout = 15_000,
): Promise<void> {
  const end = Date.now() + timeout;
  while (!(await Promise.resolve(condition()).catch(() => false))) {
    if (Date.now() > end) throw new Error(`it did not become so within ${timeout} ms`);
    await pause(5);
  }
}

/** A port on which nobody listens any more. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
