import type { Socket } from 'node:net';
import type { AppLoad, EdgeState, FromEdge, ToEdge, WakeCause } from '../domain/route.ts';
import { parseMessage } from './parse.ts';

export type PeerEvents = {
  readonly hello: (hello: Extract<FromEdge, { kind: 'hello' }>) => void;
  readonly wake: (app: string, cause: WakeCause) => void;
  readonly load: (apps: readonly AppLoad[]) => void;
  readonly overloaded: (ms: number) => void;
  readonly changed: () => void;
  readonly closed: () => void;
};

const maxLine = 1 << 20;

/** One connected edge: what it said it uses, and what still drains there. Its words are checked: it is not trusted. */
export class Peer {
  generation = 0;
  pid: number | undefined;
  state: EdgeState = 'starting';
  /** Its answer to the last `spawn`. */
  spawned: Extract<FromEdge, { kind: 'spawned' | 'spawn-failed' }> | undefined;
  readonly draining = new Set<string>();
  /** Of apps, open. */
  ports: readonly number[] = [];
  readonly #socket: Socket;
  readonly #events: PeerEvents;
  #partial = '';

  constructor(socket: Socket, events: PeerEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.setEncoding('utf8');
    socket.on('data', text => this.#read(String(text)));
    socket.on('error', () => {});
    socket.on('close', events.closed);
  }

  send(message: ToEdge): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      const message = parseMessage(line);
      if (message) this.#take(message);
      else this.#socket.destroy();
    }
    if (this.#partial.length > maxLine) this.#socket.destroy();
  }

  #take(message: FromEdge): void {
    switch (message.kind) {
      case 'wake':
        this.#events.wake(message.app, message.cause);
        return;
      case 'load':
        this.#events.load(message.apps);
        return;
      case 'overloaded':
        this.#events.overloaded(message.ms);
        return;
      case 'spawned':
      case 'spawn-failed':
        this.spawned = message;
        break;
      case 'drained':
        this.draining.delete(message.target);
        break;
      default:
        this.generation = message.generation;
        this.ports = message.ports ?? [];
        this.draining.clear();
        for (const target of message.draining) this.draining.add(target);
    }
    if (message.kind === 'hello') {
      this.pid = message.pid;
      this.state = message.state;
      this.#events.hello(message);
    } else this.#events.changed();
  }
}
