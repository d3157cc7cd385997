import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { answer } from './answer.ts';
import type { Line } from './line.ts';

/** Milliseconds that one connection may take; each carries one request. */
const patience = 10_000;
const largestHead = 4096;

/** HTTP of all apps' sockets: whose connection it is tells who speaks. */
export class Speech {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #speakers = new Map<Socket, Line>();
  readonly #http = createServer({ maxHeaderSize: largestHead }, (request, response) =>
    this.#serve(request, response),
  );

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  accept(socket: Socket, line: Line): void {
    this.#speakers.set(socket, line);
    const ended = new AbortController();
    socket.once('close', () => {
      ended.abort();
      this.#speakers.delete(socket);
    });
    this.#clock.sleep(patience, ended.signal).then(
      () => socket.destroy(),
      () => {},
    );
    this.#http.emit('connection', socket);
  }

  close(): void {
    for (const socket of this.#speakers.keys()) socket.destroy();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const line = this.#speakers.get(request.socket);
    if (!line?.allowance.take(this.#clock.ticks())) {
      response.setHeader('retry-after', '1');
      send(response, 429, { error: 'Too many requests. Ask once, and again before the time is over.' });
      return;
    }
    const { method = '', url = '' } = request;
    const { status, body, until } = answer({ method, url }, line.until, this.#clock.now().getTime());
    line.note(until).then(
      () => send(response, status, body),
      error => {
        this.#log.error({ err: error, file: line.file }, 'a busy lease could not be kept');
        send(response, 503, { error: 'It could not be kept over a restart of the platform. Try again.' });
      },
    );
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    })
    .end(text);
}
