import { createServer, type Server } from 'node:http';
import { constants } from 'node:os';
import type { StopSignal } from '../../domain/image.ts';
import type { Behaviour } from './behaviour.ts';

/** A pretended process: timers, and a real server when it listens. `onEnd` is called once. */
export class FakeProcess {
  readonly startedAt = new Date();
  readonly pid: number;
  readonly behaviour: Behaviour;
  frozen = false;
  /** Bytes that it can do without. */
  spare: number;
  readonly #onEnd: (code: number) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  #server: Server | undefined;
  #ended = false;

  constructor(options: { pid: number; behaviour: Behaviour; onEnd: (code: number) => void }) {
    this.pid = options.pid;
    this.behaviour = options.behaviour;
    this.spare = options.behaviour.spare ?? 0;
    this.#onEnd = options.onEnd;
  }

  /** Begins what the behaviour says; resolves when it listens, if it listens at once. */
  async begin(where: { address: string; port: number; id: string }): Promise<void> {
    const { exit, listen } = this.behaviour;
    if (listen && !listen.after) await this.#listen(where);
    if (listen?.after) this.#later(listen.after, () => void this.#listen(where));
    if (exit) this.#later(exit.after ?? 0, () => this.end(exit.code));
  }

  signal(signal: StopSignal | 'SIGKILL'): void {
    if (signal !== 'SIGKILL' && this.behaviour.stubborn) return;
    this.end(128 + constants.signals[signal]);
  }

  end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#server?.closeAllConnections();
    this.#server?.close();
    this.#onEnd(code);
  }

  #later(after: number, work: () => void): void {
    this.#timers.push(setTimeout(work, after));
  }

  async #listen({ address, port, id }: { address: string; port: number; id: string }): Promise<void> {
    const { status = 200, port: own = port } = this.behaviour.listen ?? {};
    const server = createServer((_, response) => response.writeHead(status).end(id));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(own, address, resolve);
    });
  }
}
