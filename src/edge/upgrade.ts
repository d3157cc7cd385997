// Node hands an upgrade over as a bare socket. Here it becomes an answer like any other, so that refusing it has
// correct framing, or a plain request again when the upgrade is one that is ignored (h2c).
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { readRequestHead } from './request-head.ts';

/** Whether the upgrade is one that is passed on, or a request so wrong that it gets a page. */
export function isWebSocket(req: IncomingMessage): boolean {
  const head = readRequestHead(req);
  return 'status' in head || head.upgrade !== undefined;
}

/** Whether an earlier request's answer is under way: an upgrade behind it could only be answered out of turn. */
export function isAnswering(socket: Socket): boolean {
  return (socket as { readonly _httpMessage?: unknown })._httpMessage != null;
}

/** An answer on the socket of an upgrade request; the connection ends with it unless a tunnel takes the socket. */
export function responseTo(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  socket.on('error', () => {});
  socket.on('drain', () => res.emit('drain'));
  res.on('finish', () => socket.destroySoon());
  return res;
}

/** Puts the request back without its upgrade and lets the server read it once more, body and all. */
export function ignoreUpgrade(
  server: Server,
  request: { req: IncomingMessage; socket: Socket; first: Buffer },
): void {
  const { req, socket, first } = request;
  let text = `${req.method} ${req.url} HTTP/${req.httpVersion}\r\n`;
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] as string;
    const value = req.rawHeaders[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'upgrade' || lower === 'http2-settings') continue;
    text += `${name}: ${lower === 'connection' ? withoutUpgrade(value) : value}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), first]));
  server.emit('connection', socket);
}

function withoutUpgrade(value: string): string {
  const kept = value.split(',').map(word => word.trim());
  return kept.filter(word => !/^(?:upgrade|http2-settings|)$/i.test(word)).join(', ') || 'keep-alive';
}
