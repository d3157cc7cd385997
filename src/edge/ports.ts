import { closeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { RoutePort } from '../domain/route.ts';
import type { EdgeLog } from './log.ts';

export type PortsOptions = {
  /** Has the listener's connections served. */
  readonly attach: (server: Server, port: RoutePort) => void;
  readonly log: EdgeLog;
};

type Wanted = { readonly host: string; readonly ports: ReadonlyMap<number, RoutePort> };
type Open = { readonly scheme: RoutePort['scheme']; readonly server: Server };

/** Milliseconds for which nothing is said again of a port that cannot be opened. */
const quiet = 60_000;

/**
 * The listeners for ports of apps: opened and closed as the routes say, without a restart. What cannot be opened is tried again each
 * second: of several edge processes one has a port that came since they began, and another takes it over when that one ends.
 */
export class Ports {
  readonly #options: PortsOptions;
  readonly #open = new Map<number, Open>();
  readonly #opening = new Map<number, Promise<void>>();
  readonly #closing = new Set<Promise<void>>();
  /** Descriptors that listen at a port already. */
  #inherited: ReadonlyMap<number, number> = new Map();
  #wanted: Wanted = { host: '', ports: new Map() };
  #closed = false;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(options: PortsOptions) {
    this.#options = options;
  }

  get listeners(): ReadonlyMap<number, Server> {
    return new Map([...this.#open].map(([port, { server }]) => [port, server]));
  }

  /** Before the first `follow`. */
  inherit(descriptors: ReadonlyMap<number, number>): void {
    this.#inherited = descriptors;
  }

  /** Resolves when each of them is open, or cannot be. Connections of those that are closed go on. */
  async follow(wanted: Wanted): Promise<void> {
    if (this.#closed) return;
    this.#wanted = wanted;
    for (const [port, { scheme, server }] of this.#open)
      if (wanted.ports.get(port)?.scheme !== scheme) this.#shut(port, server);
    await this.#openAll();
    for (const descriptor of this.#inherited.values()) closeSync(descriptor);
    this.#inherited = new Map();
  }

  everySecond(): void {
    if (!this.#closed) void this.#openAll();
  }

  /** Takes no more; resolves when every connection is over. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [port, { server }] of this.#open) this.#shut(port, server);
    await Promise.all([...this.#opening.values(), ...this.#closing]);
  }

  async #openAll(): Promise<void> {
    const missing = [...this.#wanted.ports.values()].filter(({ port }) => !this.#open.has(port));
    await Promise.all(missing.map(each => this.#openOnce(each)));
  }

  #openOnce(wanted: RoutePort): Promise<void> {
    const { port } = wanted;
    const begun = this.#opening.get(port) ?? this.#listen(wanted).finally(() => this.#opening.delete(port));
    this.#opening.set(port, begun);
    return begun;
  }

  async #listen(wanted: RoutePort): Promise<void> {
    const { scheme, port } = wanted;
    const server = createServer({
      // As Node's servers for the two do.
      allowHalfOpen: scheme === 'http' || scheme === 'tcp',
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      highWaterMark: 65_536,
    });
    this.#options.attach(server, wanted);
    const descriptor = this.#inherited.get(port);
    this.#inherited = new Map([...this.#inherited].filter(([other]) => other !== port));
    const where = descriptor === undefined ? { host: this.#wanted.host, port } : { fd: descriptor };
    const error = await new Promise<Error | undefined>(resolve => {
      server.once('error', resolve);
      server.listen({ ...where, backlog: 4096 }, () => resolve(undefined));
    });
    if (error) {
      this.#report(port, error);
      return;
    }
    server.on('error', later => this.#options.log.error({ err: later, port }, 'listener'));
    this.#open.set(port, { scheme, server });
    // Things may have changed meanwhile.
    if (this.#closed || this.#wanted.ports.get(port)?.scheme !== scheme) this.#shut(port, server);
  }

  #shut(port: number, server: Server): void {
    this.#open.delete(port);
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    this.#closing.add(closed);
    void closed.then(() => this.#closing.delete(closed));
  }

  #report(port: number, error: Error): void {
    const now = performance.now();
    if (now - this.#saidAt < quiet) return;
    this.#saidAt = now;
    this.#options.log.warn({ err: error, port }, 'a port of an app is not open here');
  }
}
