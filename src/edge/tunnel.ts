import type { Socket } from 'node:net';

export type TunnelEnd = { readonly socket: Socket; readonly first: Buffer };

/** Milliseconds of silence after which a half-closed tunnel is cut; an open one is never cut. */
const halfOpen = 60_000;

/** Joins two sockets until both are closed; each side's end and back-pressure reach the other. */
export function joinTunnel(client: TunnelEnd, app: TunnelEnd, onClose: () => void): void {
  let open = 2;
  const closed = () => {
    open--;
    if (open === 0) onClose();
  };
  for (const { socket } of [client, app]) {
    socket.setNoDelay(true);
    socket.setTimeout(0);
    socket.setKeepAlive(true, 60_000);
    socket.on('error', () => {});
    if (socket.destroyed) closed();
    else socket.once('close', closed);
  }
  if (app.first.length > 0) client.socket.write(app.first);
  if (client.first.length > 0) app.socket.write(client.first);
  carry(client.socket, app.socket);
  carry(app.socket, client.socket);
}

function carry(from: Socket, to: Socket): void {
  from.on('data', piece => {
    if (!to.write(piece)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => {
    to.end();
    to.setTimeout(halfOpen, () => to.destroy());
  });
  from.on('close', () => to.destroySoon());
  if (from.destroyed) to.destroySoon();
  else from.resume();
}
