import type { Server, Socket } from 'node:net';
import { network } from '../domain/network-name.ts';

/** Closes connections of an address that has enough of them, so that one cannot take the places of all. */
export function limitByAddress(server: Server, most: number): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const name = network(socket.remoteAddress ?? 'unknown');
    const here = open.get(name) ?? 0;
    if (here >= most) {
      socket.destroy();
      return;
    }
    open.set(name, here + 1);
    socket.once('close', () => {
      const left = (open.get(name) ?? 1) - 1;
      if (left > 0) open.set(name, left);
      else open.delete(name);
    });
  });
}
