import { connect, type Socket } from 'node:net';
import type { FromEdge, ToEdge } from '../domain/route.ts';
import type { EdgeLog } from './log.ts';
import { isRoute, parseSnapshot } from './snapshot-file.ts';

export type ControlLinkOptions = {
  readonly socketPath: string;
  readonly hello: () => Extract<FromEdge, { kind: 'hello' }>;
  readonly onMessage: (message: ToEdge) => void;
  readonly log: EdgeLog;
};

const firstDelay = 100;
/** Short: control, when it comes back, takes nothing before this link is there, and a try costs next to nothing. */
const lastDelay = 200;
const maxLine = 64 << 20;

/** The edge's end of the unix socket: connects again for ever, because control may be away at any time. */
export class ControlLink {
  readonly #options: ControlLinkOptions;
  #socket: Socket | undefined;
  #delay = firstDelay;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Lost while control is away: the next hello tells what still drains. */
  send(message: FromEdge): void {
    if (this.#socket?.readyState === 'open') this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Says what this edge has; control sends what it lacks. */
  greet(): void {
    this.send(this.#options.hello());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.end();
  }

  #connect(): void {
    const socket = connect(this.#options.socketPath);
    this.#socket = socket;
    let partial: Buffer[] = [];
    let size = 0;
    socket.on('connect', () => {
      this.#delay = firstDelay;
      this.#options.log.info({}, 'connected to control');
      this.greet();
    });
    socket.on('data', chunk => {
      let rest = chunk as Buffer;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const line = Buffer.concat([...partial, rest.subarray(0, end)]);
        partial = [];
        size = 0;
        this.#take(line.toString('utf8'));
        rest = rest.subarray(end + 1);
      }
      partial.push(rest);
      size += rest.length;
      if (size > maxLine) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#again());
  }

  #take(line: string): void {
    const message = parseMessage(line);
    if (message) this.#options.onMessage(message);
    else this.#options.log.error({ line: line.slice(0, 200) }, 'control sent what is no message');
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#connect(), this.#delay);
    this.#delay = Math.min(lastDelay, this.#delay * 2);
  }
}

function parseMessage(line: string): ToEdge | undefined {
  let value: Partial<Record<string, unknown>> | null;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (value?.['kind'] === 'snapshot') {
    const snapshot = parseSnapshot(value['snapshot']);
    return snapshot && { kind: 'snapshot', snapshot };
  }
  if (value?.['kind'] === 'serve' || value?.['kind'] === 'retire') return { kind: value['kind'] };
  if (value?.['kind'] === 'spawn') {
    const { argv } = value;
    const words = Array.isArray(argv) && argv.length > 0 && argv.every(word => typeof word === 'string');
    return words ? { kind: 'spawn', argv } : undefined;
  }
  const usable =
    value?.['kind'] === 'route' &&
    Number.isSafeInteger(value['generation']) &&
    Number.isSafeInteger(value['after']) &&
    isRoute(value['route']);
  return usable ? (value as ToEdge) : undefined;
}
