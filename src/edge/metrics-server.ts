import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';

/** Serves the metrics to control on a unix socket, which one before it may have left behind. */
export async function serveMetrics(path: string, render: () => string): Promise<Server> {
  const server = createServer((req, res) => {
    req.resume();
    if (req.method !== 'GET' || req.url !== '/metrics') res.writeHead(404).end();
    else res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(render());
  });
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return server;
}
