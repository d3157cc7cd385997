import type { Server, Socket } from 'node:net';
import { intercept, readFirst } from './first-bytes.ts';
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
  intercept(server, (socket, serve) => {
    if (!front.wanted(socket)) {
      serve();
      return;
    }
    readFirst(socket, {
      timeout: headerTimeout,
      read: readProxyHeader,
      found: (header, bytes) =>
        front.known(socket, header.origin) ? { rest: bytes.subarray(header.size), serve } : undefined,
      refused: front.refused,
    });
  });
}
