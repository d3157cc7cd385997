import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sentence, WherryError } from '../domain/errors.ts';

export type MetricsServer = { readonly port: number; close(): Promise<void> };

/** Serves /metrics to whoever reaches the address: it has no login. @throws conflict when the address is taken */
export async function serveMetrics(
  address: { readonly host: string; readonly port: number },
  read: () => Promise<string>,
): Promise<MetricsServer> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, (req, res) => {
    req.resume();
    if (req.method !== 'GET' || req.url !== '/metrics') {
      res.writeHead(404, { 'content-type': 'text/plain' }).end('Only GET /metrics is answered here.\n');
      return;
    }
    read().then(
      text => res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      error => res.writeHead(503, { 'content-type': 'text/plain' }).end(`${sentence(error)}\n`),
    );
  });
  server.maxConnections = 20;
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(cannotListen(address, error)));
    server.listen(address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function cannotListen({ host, port }: { host: string; port: number }, error: NodeJS.ErrnoException) {
  const where = `${host}:${port}`;
  if (error.code === 'EADDRINUSE')
    return new WherryError(
      'conflict',
      `Another program listens on ${where} already. Stop it, or choose another --metrics.`,
    );
  return new WherryError('failed', `Cannot listen on ${where}: ${error.code}.`, { cause: error });
}
