import type { Server, Socket } from 'node:net';
import { type Origin, readProxyHeader } from './proxy-protocol.ts';

const headerTimeout = 5000;

export type ProxyFront = {
  /** Whether a new connection must begin with a PROXY header. */
  readonly wanted: (socket: Socket) => boolean;
  /** The header was read. @param origin undefined when the balancer speaks for itself @returns whether to go on */
  readonly known: (socket: Socket, origin: Origin | undefined) => boolean;
  /** What came is no header, or came too late; the connection is closed. */
  readonly refused: () => void;
};

/** Puts the reading of PROXY headers before everything else that a server does with a connection. */
export function addProxyFront(server: Server, front: ProxyFront): void {
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const serve = () => {
      for (const listener of listeners) listener.call(server, socket);
    };
    if (!front.wanted(socket)) serve();
    else readHeader(socket, front, serve);
  });
}

function readHeader(socket: Socket, front: ProxyFront, serve: () => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const stop = () => {
    clearTimeout(timer);
    socket.off('data', take).off('error', ignore).off('close', stop);
  };
  const refuse = () => {
    stop();
    socket.on('error', ignore).destroy();
    front.refused();
  };
  const take = (piece: Buffer) => {
    bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
    const header = readProxyHeader(bytes);
    if (header === 'more') return;
    if (header === 'bad') {
      refuse();
      return;
    }
    stop();
    socket.pause();
    if (!front.known(socket, header.origin)) return;
    const rest = bytes.subarray(header.size);
    if (rest.length > 0) socket.unshift(rest);
    serve();
    // TLS takes what was put back a tick later; before, it would flow away.
    process.nextTick(() => socket.resume());
  };
  const timer = setTimeout(refuse, headerTimeout);
  socket.on('data', take).on('error', ignore).once('close', stop);
}

function ignore(): void {}
