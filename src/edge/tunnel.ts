import type { Socket } from 'node:net';

export type TunnelEnd = { readonly socket: Socket; readonly first: Buffer };

/** Milliseconds of silence after which a half-closed tunnel is cut; an open one is never cut. */
const usualHalfOpen = 60_000;

export type TunnelOptions = {
  readonly onClose: () => void;
  /** Milliseconds of silence after which it is cut once it is half-closed. */
  readonly halfOpen?: number;
};

/** Joins two sockets until both are closed; each side's end and back-pressure reach the other. */
export function joinTunnel(
  client: TunnelEnd,
  app: TunnelEnd,
  { onClose, halfOpen = usualHalfOpen }: TunnelOptions,
): void {
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
  carry(client.socket, app.socket, halfOpen);
  carry(app.socket, client.socket, halfOpen);
}

function carry(from: Socket, to: Socket, halfOpen: number): void {
  from.on('data', piece => {
    if (!to.write(piece)) from.pause();
  });
  to.on('drain', () => from.resume());
  const ended = () => {
    to.end();
    to.setTimeout(halfOpen, () => to.destroy());
  };
  if (from.readableEnded) ended();
  else from.on('end', ended);
  from.on('close', () => to.destroySoon());
  if (from.destroyed) to.destroySoon();
  else from.resume();
}
