// A client that speaks HTTP/2 by hand: what Node's own would not say.
import { once } from 'node:events';
import { connect } from 'node:tls';
import { cleanUp, eventually } from './harness.ts';

export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
};

export const kinds = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const endStream = 1;
export const endHeaders = 4;
export const ack = 1;

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** A GET of demo.test, with these before and after its own. */
export function get(stream: number, ...more: [string, string][]): Buffer {
  return headers(stream, endStream, [...request(), ...more]);
}

export function request(method = 'GET', path = '/'): [string, string][] {
  return [
    [':method', method],
    [':scheme', 'https'],
    [':authority', 'demo.test'],
    [':path', path],
  ];
}

export function headers(stream: number, flags: number, pairs: readonly [string, string][]): Buffer {
  return frame(kinds.headers, flags | endHeaders, stream, block(pairs));
}

/** Each header as a literal that goes into no table (RFC 7541 section 6.2.2). */
export function block(pairs: readonly [string, string][]): Buffer {
  return Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const size: number[] = [];
  let rest = bytes.length;
  if (rest < 127) size.push(rest);
  else {
    size.push(127);
    for (rest -= 127; rest >= 128; rest = Math.floor(rest / 128)) size.push((rest % 128) + 128);
    size.push(rest);
  }
  return Buffer.concat([Buffer.from(size), bytes]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export type FrameClient = {
  readonly frames: Frame[];
  send(...pieces: Buffer[]): void;
  /** The first such frame that came, once it has. */
  until(type: number, stream?: number): Promise<Frame>;
  closed(): Promise<void>;
  destroy(): void;
};

/** @param greeted sends the preface and empty settings, as a client begins */
export async function openFrames(port: number, greeted = true): Promise<FrameClient> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'demo.test',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  cleanUp(() => void socket.destroy());
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  const frames: Frame[] = [];
  let pending = Buffer.alloc(0);
  socket.on('data', piece => {
    pending = Buffer.concat([pending, piece]);
    while (pending.length >= 9 && pending.length >= 9 + pending.readUIntBE(0, 3)) {
      const end = 9 + pending.readUIntBE(0, 3);
      const [type = 0, flags = 0] = pending.subarray(3, 5);
      frames.push({ type, flags, stream: pending.readUInt32BE(5), payload: pending.subarray(9, end) });
      pending = pending.subarray(end);
    }
  });
  const found = (type: number, stream?: number) =>
    frames.find(each => each.type === type && (stream === undefined || each.stream === stream));
  if (greeted) socket.write(Buffer.concat([Buffer.from(preface), frame(kinds.settings, 0, 0)]));
  return {
    frames,
    send: (...pieces) => void socket.write(Buffer.concat(pieces)),
    async until(type, stream) {
      await eventually(() => found(type, stream) !== undefined, 5000);
      return found(type, stream) as Frame;
    },
    closed: () => eventually(() => socket.closed, 5000),
    destroy: () => void socket.destroy(),
  };
}

/** The error code of a RST_STREAM or a GOAWAY. */
export function codeOf({ type, payload }: Frame): number {
  return payload.readUInt32BE(type === kinds.goaway ? 4 : 0);
}
