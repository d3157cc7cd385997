import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as an app read it. */
export type Recorded = {
  readonly line: string;
  /** `Name: value` in their order. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** The body came to its end. */
  readonly whole: boolean;
};

export type RecordingApp = {
  readonly port: number;
  /** What came since the last call. */
  take(): Recorded[];
  close(): void;
};

type Answer = (res: ServerResponse) => void;

const byPath: Readonly<Record<string, Answer>> = {
  '/204': res => res.writeHead(204).end(),
  '/304': res => res.writeHead(304, { 'content-length': '7' }).end(),
  '/head': res => res.writeHead(200, { 'content-length': '1234' }).end(),
  '/hints': res => {
    res.writeEarlyHints({ link: '</a.css>; rel=preload' });
    res.end('ok');
  },
  '/trailers': res => {
    res.writeHead(200, { trailer: 'X-Sum' });
    res.write('abc');
    res.addTrailers({ 'X-Sum': '42' });
    res.end();
  },
  '/hop': res =>
    res
      .writeHead(200, {
        connection: 'X-Private, keep-alive',
        'x-private': '1',
        'proxy-authenticate': 'Basic',
        'x-public': '1',
      })
      .end('ok'),
  '/cut': res => {
    res.writeHead(200, { 'content-length': '10' });
    res.write('hello');
    setTimeout(() => res.destroy(), 50);
  },
  '/cut-chunked': res => {
    res.write('hello');
    setTimeout(() => res.destroy(), 50);
  },
  '/processing': res => {
    res.writeProcessing();
    res.end('ok');
  },
  '/chunked': res => {
    res.write('abc');
    res.end();
  },
};

/** The answer to the key that the cases send; HAProxy checks it. */
const switching =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** An app that remembers what it was asked, and answers `ok` or what the path wants. Node's parser plays the app's part. */
export async function startRecordingApp(): Promise<RecordingApp> {
  let recorded: Recorded[] = [];
  const server = createServer({ requireHostHeader: false }, (req, res) => {
    const answer = byPath[req.url ?? ''] ?? ((plain: ServerResponse) => plain.end('ok'));
    record(req, one => {
      recorded.push(one);
      if (one.whole) answer(res);
    });
  });
  server.on('upgrade', (req, socket) => {
    socket.on('error', () => {});
    record(req, one => recorded.push(one));
    if (req.url === '/chat') socket.end(`${switching}hello`);
    else socket.end('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndenied\r\n0\r\n\r\n');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take: () => recorded.splice(0),
    close: () => {
      recorded = [];
      server.closeAllConnections();
      server.close();
    },
  };
}

function record(req: IncomingMessage, done: (one: Recorded) => void): void {
  const pieces: Buffer[] = [];
  req.on('data', piece => pieces.push(piece));
  req.on('error', () => {});
  req.once('close', () =>
    done({
      line: `${req.method} ${req.url}`,
      headers: pairs(req.rawHeaders),
      body: Buffer.concat(pieces).toString('latin1'),
      trailers: pairs(req.rawTrailers),
      whole: req.complete,
    }),
  );
}

function pairs(flat: readonly string[]): string[] {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${flat[i + 1]}`] : []));
}
