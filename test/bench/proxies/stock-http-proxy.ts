// http-proxy as its README has it: `stock-http-proxy.ts PORT APP keep-alive|none`.
import { Agent, createServer, ServerResponse } from 'node:http';
import httpProxy from 'http-proxy';

const [port, app, agent] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${app}`,
  xfwd: true,
  ...(agent === 'keep-alive' ? { agent: new Agent({ keepAlive: true }) } : {}),
});
proxy.on('error', (_error, _req, res) => {
  if (res instanceof ServerResponse) res.writeHead(502).end();
});
createServer((req, res) => proxy.web(req, res)).listen({
  port: Number(port),
  host: '127.0.0.1',
  backlog: 4096,
});
