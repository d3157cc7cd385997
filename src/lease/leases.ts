import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { App } from '../domain/app.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { Allowance } from './allowance.ts';
import { Line } from './line.ts';
import { Speech } from './speech.ts';
import { readUntil } from './until-file.ts';

/** Where an app finds the socket. */
const insideFolder = '/run/wherry';
const socketName = 'lease.sock';
const connectionsAtOnce = 16;

/** A folder with the socket in it, to be mounted into the app's instances. */
export type LeaseMount = { readonly source: string; readonly target: string; readonly readonly: true };

type Open = { readonly line: Line; readonly listener: Server };

/**
 * Busy leases: an app says through a socket of its own, in its containers, that it is busy for a while, and is not put to sleep.
 * Whose socket it is tells who speaks; nothing that is sent is trusted but for a number of seconds.
 */
export class Leases {
  readonly #options: { readonly dir: string; readonly clock: Clock; readonly log: Log };
  readonly #speech: Speech;
  readonly #opening = new Map<number, Promise<void>>();
  readonly #open = new Map<number, Open>();

  constructor(options: { dir: string; clock: Clock; log: Log }) {
    this.#options = options;
    this.#speech = new Speech(options);
  }

  /** Listens to an app, if not yet. Instances that were made before find the new socket in the folder that they see. */
  async open(app: App): Promise<void> {
    const under = this.#opening.get(app.id) ?? this.#listen(app);
    this.#opening.set(app.id, under);
    await under.catch(error => {
      this.#opening.delete(app.id);
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
    const until = this.#open.get(app.id)?.line.until ?? 0;
    return until > this.#options.clock.now().getTime() ? until : 0;
  }

  /** Nobody is listened to any more, and nothing is kept. */
  async forget(app: App): Promise<void> {
    // How it went was told to who opened it.
    await this.#opening.get(app.id)?.catch(() => {});
    const open = this.#open.get(app.id);
    this.#opening.delete(app.id);
    this.#open.delete(app.id);
    open?.listener.close();
    await open?.line.settled();
    await rm(this.#folder(app), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    for (const { listener } of all) listener.close();
    this.#speech.close();
    await Promise.all(all.map(({ line }) => line.settled()));
  }

  /** For root alone: whoever reaches a socket of another app would speak for it. */
  #folder(app: App): string {
    return join(this.#options.dir, String(app.id));
  }

  #shared(app: App): string {
    return join(this.#folder(app), 'in');
  }

  async #listen(app: App): Promise<void> {
    const { dir, clock } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await mkdir(this.#shared(app), { recursive: true });
    // mkdir's mode is cut by our umask; the app's user passes through.
    await chmod(this.#shared(app), 0o755);
    const file = join(this.#folder(app), 'until');
    const line = new Line({ file, allowance: new Allowance(clock.ticks()), until: await readUntil(file) });
    const listener = createServer({ noDelay: true }, socket => this.#speech.accept(socket, line));
    listener.maxConnections = connectionsAtOnce;
    await this.#bind(listener, app);
    this.#open.set(app.id, { line, listener });
  }

  /** Without its socket, for a path that is too long say, an app runs all the same. */
  async #bind(listener: Server, app: App): Promise<void> {
    const path = join(this.#shared(app), socketName);
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
}
