import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../system/clock.ts';
import type { EndpointAnswer, EndpointRequest } from './api.ts';
import { withinLimit } from './limit.ts';

/** What answers for a plugin; undefined for one that has none, or does not run. */
export type Answerer = (request: EndpointRequest, signal: AbortSignal) => Promise<EndpointAnswer>;

/** Bytes of a body: what a forge says of a push with thousands of commits. */
const largestBody = 5 * 2 ** 20;
/** Bodies that are read at once: they are in memory before anybody has signed them. */
const mostAtOnce = 16;
/** Milliseconds for a body to come, and for an answer: forges wait no longer. */
const patience = 8_000;

/**
 * Takes requests for plugins at a port of this host alone, where the edge brings them: `/<plugin>/...`. The edge has bounded
 * headers and connections; who may ask is for each plugin to find out.
 */
export function createEndpoints(options: {
  readonly answerer: (plugin: string) => Answerer | undefined;
  readonly failed: (plugin: string, error: unknown) => void;
  readonly clock: Clock;
}) {
  const { answerer, failed, clock } = options;
  let reading = 0;
  let port: number | undefined;

  const answer = async (request: IncomingMessage): Promise<EndpointAnswer> => {
    const [, plugin = '', path = '/'] = /^\/([a-z0-9-]+)(\/[^?]*)?/.exec(request.url ?? '') ?? [];
    const asked = answerer(plugin);
    if (!asked) return { status: 404, body: { error: 'There is nothing here.' } };
    if (reading >= mostAtOnce) return { status: 503, body: { error: 'Too many at once. Try again.' } };
    reading += 1;
    try {
      const body = await withinLimit(() => readAll(request), { ms: patience, clock });
      if (!body) return { status: 413, body: { error: `More than ${largestBody} bytes.` } };
      const headers = Object.fromEntries(
        Object.entries(request.headers).flatMap(([name, value]) =>
          typeof value === 'string' ? [[name, value]] : [],
        ),
      );
      const given = { method: request.method ?? '', path, headers, body };
      return await withinLimit(signal => asked(given, signal), { ms: patience, clock });
    } catch (error) {
      if (request.complete) failed(plugin, error);
      return { status: 500, body: { error: 'It could not be done. The operator sees why.' } };
    } finally {
      reading -= 1;
    }
  };

  const server = createServer(
    { headersTimeout: patience, requestTimeout: 2 * patience },
    (request, response) => {
      request.on('error', () => {});
      response.on('error', () => {});
      void answer(request).then(given => give(response, given, request.complete));
    },
  );

  return {
    /** @returns the port, the same from then on */
    async listen(): Promise<number> {
      if (port !== undefined) return port;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      port = (server.address() as AddressInfo).port;
      return port;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise<void>(resolve => server.close(() => resolve()));
      port = undefined;
    },
  };
}

function give(response: ServerResponse, { status, body }: EndpointAnswer, complete: boolean): void {
  const json = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(json),
    'cache-control': 'no-store',
    // What was not read is not taken for the next request.
    ...(complete ? {} : { connection: 'close' }),
  });
  response.end(json);
}

/** Undefined when there is too much. */
async function readAll(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > largestBody) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > largestBody) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
