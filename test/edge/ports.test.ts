import { once } from 'node:events';
import { request } from 'node:https';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { Certificates } from '../../src/edge/certificates.ts';
import { createAuthority } from '../support/certificates.ts';
import {
  closedPort,
  demo,
  eventually,
  exchange,
  get,
  openClient,
  startApp,
  startTestEdge,
} from './harness.ts';

const refused = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(true));
    socket.once('connect', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** Apps `demo` and `other`; the latter has no ports of its own. */
async function start(ports: Route['ports'], certificates?: Certificates) {
  const app = await startApp((req, res) => {
    const { 'x-forwarded-port': port, 'x-forwarded-proto': scheme } = req.headers;
    res.end(`${scheme} at ${port}`);
  });
  const edge = await startTestEdge(undefined, certificates ? { certificates } : {});
  if (certificates) await edge.server.listenSecurely({ host: '127.0.0.1', port: 0 });
  const apply = (own: Route['ports'] = []) =>
    edge.apply(
      demo(app.port).flatMap(route => [
        { ...route, ports: own },
        { ...route, app: 'other', domains: ['other.test'] },
      ]),
      certificates ? { certificates: [{ id: 'demo', names: ['demo.test'], fallback: true }] } : {},
    );
  apply(ports);
  await eventually(() => edge.server.ports.listeners.size === (ports?.length ?? 0));
  return { edge, apply };
}

describe('ports of apps', () => {
  it('are opened by the routes, for the apps that have them alone, and closed again', async () => {
    const port = await closedPort();
    const { edge, apply } = await start([{ scheme: 'http', port }]);
    expect(await exchange(port, get())).toContain(`http at ${port}`);
    expect(await exchange(edge.port, get())).toContain(`http at ${edge.port}`);
    const other = await exchange(port, get().replace('demo.test', 'other.test'));
    expect(other).toContain('X-Wherry-Reason: unknown-port');
    expect(await exchange(edge.port, get().replace('demo.test', 'other.test'))).toContain('200 OK');

    const kept = await openClient(port);
    apply();
    await eventually(() => refused(port));
    kept.send(get());
    expect(await kept.closed()).toContain('X-Wherry-Reason: unknown-port');
  });

  it('speak HTTPS with the certificates of the edge; those for HTTP send nobody there', async () => {
    const { pem } = createAuthority().issue(['demo.test']);
    const [plain, secure] = [await closedPort(), await closedPort()];
    const ports = [
      { scheme: 'http', port: plain },
      { scheme: 'https', port: secure },
    ] as const;
    const { edge } = await start(ports, new Certificates(async () => pem));
    expect(await exchange(edge.port, get())).toContain('X-Wherry-Reason: https-redirect');
    expect(await exchange(plain, get())).toContain(`http at ${plain}`);
    const asked = request({
      ...{ host: '127.0.0.1', port: secure, servername: 'demo.test', rejectUnauthorized: false },
      headers: { host: 'demo.test' },
    }).end();
    const [answer] = await once(asked, 'response');
    expect(String((await once(answer, 'data'))[0])).toBe(`https at ${secure}`);
  });

  it('that another program has are opened once it is gone', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    const { edge, apply } = await start([]);
    apply([{ scheme: 'http', port }]);
    await eventually(() => edge.logged.some(({ fields }) => fields['port'] === port));
    expect(edge.server.ports.listeners.size).toBe(0);
    squatter.close();
    await eventually(() => edge.server.ports.listeners.has(port));
    expect(await exchange(port, get())).toContain('200 OK');
  });

  it('take no more when the edge stops, and finish what they have', async () => {
    const port = await closedPort();
    const { edge } = await start([{ scheme: 'http', port }]);
    const client = await openClient(port);
    client.send('GET / HTTP/1.1\r\nHost: demo.test\r\n');
    const stopped = edge.server.stop(5000, { idle: 5000 });
    await eventually(() => refused(port));
    client.send('Connection: close\r\n\r\n');
    expect(await client.closed()).toContain('200 OK');
    await stopped;
  });
});
