import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { App } from '../domain/app.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { Allowance } from './allowance.ts';
import { answer } from './answer.ts';
import { readUntil, writeUntil } from './until-file.ts';

/** Where an app finds the socket. */
const insideFolder = '/run/wherry';
const socketName = 'lease.sock';
const connectionsAtOnce = 16;
/** Milliseconds that one connection may take; each carries one request. */
const patience = 10_000;
const largestHead = 4096;

/** A folder with the socket in it, to be mounted into the app's instances. */
export type LeaseMount = { readonly source: string; readonly target: string; readonly readonly: true };

type Line = {
  readonly listener: Server;
  readonly file: string;
  readonly allowance: Allowance;
  /** Unix milliseconds; 0 for none. */
  until: number;
  writing: Promise<void>;
};

/**
 * Busy leases: an app says through a socket of its own, in its containers, that it is busy for a while, and is not put to sleep.
 * Whose socket it is tells who speaks; nothing that is sent is trusted but for a number of seconds.
 */
export class Leases {
  readonly #options: { readonly dir: string; readonly clock: Clock; readonly log: Log };
  readonly #lines = new Map<number, Promise<Line>>();
  readonly #open = new Map<number, Line>();
  /** Who speaks on a connection. */
  readonly #speakers = new Map<Socket, Line>();
  readonly #http = createHttpServer({ maxHeaderSize: largestHead }, (request, response) =>
    this.#serve(request, response),
  );

  constructor(options: { dir: string; clock: Clock; log: Log }) {
    this.#options = options;
  }

  /** Listens to an app, if not yet. Instances that were made before find the new socket in the folder that they see. */
  async open(app: App): Promise<void> {
    const known = this.#lines.get(app.id) ?? this.#listen(app);
    this.#lines.set(app.id, known);
    await known.catch(error => {
      this.#lines.delete(app.id);
      throw error;
    });
  }

  /** One that fails keeps no other from being heard. */
  async openAll(apps: readonly App[]): Promise<void> {
    await Promise.all(apps.map(app => this.open(app).catch(error => this.#failed(app, error))));
  }

  async mount(app: App): Promise<LeaseMount> {
    await this.open(app);
    return { source: this.#shared(app), target: insideFolder, readonly: true };
  }

  /** Unix milliseconds until which the app is busy; 0 when it is not. */
  busyUntil(app: App): number {
    const until = this.#open.get(app.id)?.until ?? 0;
    return until > this.#options.clock.now().getTime() ? until : 0;
  }

  /** Nobody is listened to any more, and nothing is kept. */
  async forget(app: App): Promise<void> {
    const line = await this.#lines.get(app.id);
    this.#lines.delete(app.id);
    this.#open.delete(app.id);
    line?.listener.close();
    await line?.writing.catch(() => {});
    await rm(this.#folder(app), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    for (const line of this.#open.values()) line.listener.close();
    for (const socket of this.#speakers.keys()) socket.destroy();
    await Promise.allSettled([...this.#open.values()].map(({ writing }) => writing));
  }

  /** For root alone: whoever reaches a socket of another app would speak for it. */
  #folder(app: App): string {
    return join(this.#options.dir, String(app.id));
  }

  #shared(app: App): string {
    return join(this.#folder(app), 'in');
  }

  async #listen(app: App): Promise<Line> {
    const { dir, clock } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await mkdir(this.#shared(app), { recursive: true });
    // mkdir's mode is cut by our umask; the app's user passes through.
    await chmod(this.#shared(app), 0o755);
    const file = join(this.#folder(app), 'until');
    const line: Line = {
      listener: createServer({ noDelay: true }, socket => this.#accept(socket, line)),
      file,
      allowance: new Allowance(clock.ticks()),
      until: await readUntil(file),
      writing: Promise.resolve(),
    };
    line.listener.maxConnections = connectionsAtOnce;
    await this.#bind(line.listener, join(this.#shared(app), socketName), app);
    this.#open.set(app.id, line);
    return line;
  }

  /** Without its socket, for a path that is too long say, an app runs all the same. */
  async #bind(listener: Server, path: string, app: App): Promise<void> {
    await rm(path, { force: true });
    try {
      await new Promise<void>((resolve, reject) => {
        listener.once('error', reject).listen(path, resolve);
      });
      listener.on('error', error => this.#failed(app, error));
      await chmod(path, 0o666);
    } catch (error) {
      this.#failed(app, error);
    }
  }

  #failed(app: App, error: unknown): void {
    this.#options.log.error({ err: error, app: app.name }, 'the app cannot say that it is busy');
  }

  #accept(socket: Socket, line: Line): void {
    this.#speakers.set(socket, line);
    const ended = new AbortController();
    socket.once('close', () => {
      ended.abort();
      this.#speakers.delete(socket);
    });
    this.#options.clock.sleep(patience, ended.signal).then(
      () => socket.destroy(),
      () => {},
    );
    this.#http.emit('connection', socket);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const line = this.#speakers.get(request.socket);
    const { clock, log } = this.#options;
    if (!line?.allowance.take(clock.ticks())) {
      response.setHeader('retry-after', '1');
      send(response, 429, { error: 'Too many requests. Ask once, and again before the time is over.' });
      return;
    }
    const { method = '', url = '' } = request;
    const { status, body, until } = answer({ method, url }, line.until, clock.now().getTime());
    this.#note(line, until).then(
      () => send(response, status, body),
      error => {
        log.error({ err: error, file: line.file }, 'a busy lease could not be kept');
        send(response, 503, { error: 'It could not be kept over a restart of the platform. Try again.' });
      },
    );
  }

  /** At once for who asks, and on disk when this resolves. */
  async #note(line: Line, until: number): Promise<void> {
    if (until === line.until) return;
    line.until = until;
    line.writing = line.writing.catch(() => {}).then(() => writeUntil(line.file, line.until));
    await line.writing;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    })
    .end(text);
}
