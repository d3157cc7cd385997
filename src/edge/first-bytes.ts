import type { Server, Socket } from 'node:net';

export type FirstBytes<Found extends object> = {
  /** Milliseconds. */
  readonly timeout: number;
  readonly read: (bytes: Buffer) => Found | 'more' | 'bad';
  /** Who goes on with the connection, and with which bytes of it; undefined: nobody. */
  readonly found: (found: Found, bytes: Buffer) => { rest: Buffer; serve: () => void } | undefined;
  /** It began with something else, or too late; it is closed. */
  readonly refused: () => void;
};

/** Puts something before all that a server does with a connection; `serve` does the latter. */
export function intercept(server: Server, look: (socket: Socket, serve: () => void) => void): void {
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    look(socket, () => {
      for (const listener of listeners) listener.call(server, socket);
    });
  });
}

/** Reads how a connection begins, before it is served. */
export function readFirst<Found extends object>(socket: Socket, first: FirstBytes<Found>): void {
  let bytes: Buffer = Buffer.alloc(0);
  const stop = () => {
    clearTimeout(timer);
    socket.off('data', take).off('error', ignore).off('close', stop);
  };
  const refuse = () => {
    stop();
    socket.on('error', ignore).destroy();
    first.refused();
  };
  const take = (piece: Buffer) => {
    bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
    const found = first.read(bytes);
    if (found === 'more') return;
    if (found === 'bad') {
      refuse();
      return;
    }
    stop();
    socket.pause();
    const next = first.found(found, bytes);
    if (!next) return;
    if (next.rest.length > 0) socket.unshift(next.rest);
    next.serve();
    // TLS takes what was put back a tick later; before, it would flow away.
    process.nextTick(() => socket.resume());
  };
  const timer = setTimeout(refuse, first.timeout);
  socket.on('data', take).on('error', ignore).once('close', stop);
}

function ignore(): void {}
