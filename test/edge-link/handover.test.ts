import { once } from 'node:events';
import { request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Route } from '../../src/domain/route.ts';
import { startEdge, stopEdge } from '../../src/edge-link/index.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import {
  cleanUp,
  closedPort,
  demo,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  startApp,
  startRawApp,
  targetAt,
} from '../edge/harness.ts';
import { createAuthority } from '../support/certificates.ts';
import { startTraffic } from '../support/traffic.ts';
import { isGone, options, startFreshConnections, startLink } from './support.ts';

describe('an edge that control finds to be of another version', { timeout: 120_000 }, () => {
  it('hands its sockets over under load, again and again, and no request is refused or fails', async () => {
    const app = await startApp((_req, res) => res.end('here'));
    const { link, port, replace, pid: first } = await started(app.port);
    const target = { port, host: 'demo.test' };
    const traffic = [startTraffic(target, { clients: 8, pause: 2 }), startFreshConnections(port)] as const;
    const pids = new Set([first]);
    for (let round = 0; round < 4; round++) {
      const before = traffic[0].answered();
      pids.add(await replace(`version ${round}`));
      await link.publish({ routes: demo(app.port) });
      await eventually(() => traffic[0].answered() > before + 400, 20_000);
    }
    expect(pids.size).toBe(5);
    expect((await traffic[0].end()).failures).toEqual([]);
    const { sent, failures } = await traffic[1].end();
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(200);
  });

  it('finishes requests that are under way, and those that wait for an app to wake, and then ends', async () => {
    const slow = await startRawApp(() => {});
    const { link, port, replace, pid } = await started(slow.port);
    const asleep: Route = { app: 'sleepy', domains: ['sleepy.test'], state: 'asleep', targets: [] };
    await link.publish({ routes: [...demo(slow.port), asleep] });
    const woken: string[] = [];
    link.onWake(app => void woken.push(app));
    const [busy, held] = [await openClient(port), await openClient(port)];
    busy.send(get());
    held.send('GET / HTTP/1.1\r\nHost: sleepy.test\r\nConnection: close\r\n\r\n');
    await eventually(() => slow.received.join('').includes('GET') && woken.includes('sleepy'));

    await replace('next');
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: none.test\r\nConnection: close\r\n\r\n')).toContain(
      '404',
    );
    expect(link.quiet([`demo-${slow.port}`])).toBe(false);
    const quick = await startRawApp(socket => socket.write(ok));
    await link.publish({
      routes: [{ ...asleep, state: 'serving', targets: [targetAt(quick.port)] }],
    });
    expect(await held.closed()).toContain('200 OK');
    expect(link.quiet([`demo-${slow.port}`])).toBe(false);
    slow.sockets[0]?.write(ok);
    expect(await busy.closed()).toContain('200 OK');
    await eventually(() => isGone(pid), 10_000);
    await eventually(() => link.quiet([`demo-${slow.port}`]), 5000);
  });

  it('keeps its websockets', async () => {
    const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanUp(() => echo.close());
    echo.on('connection', socket => socket.on('message', data => socket.send(String(data))));
    await once(echo, 'listening');
    const { port, replace, pid } = await started((echo.address() as { port: number }).port);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'demo.test' } });
    await once(socket, 'open');
    await replace('next');
    socket.send('still here');
    expect(String((await once(socket, 'message'))[0])).toBe('still here');
    expect(isGone(pid)).toBe(false);
    socket.close();
    await eventually(() => isGone(pid), 10_000);
  });

  it('hands over the ports of apps, and no connection is refused there', async () => {
    const app = await startApp((_req, res) => res.end('here'));
    const { link, replace } = await started(app.port);
    const port = await closedPort();
    const routes = demo(app.port).map(route => ({ ...route, ports: [{ scheme: 'http' as const, port }] }));
    await link.publish({ routes });
    expect(link.openPorts()).toEqual(new Set([port]));
    const fresh = startFreshConnections(port);
    await replace('next');
    await replace('last');
    expect(link.openPorts()).toEqual(new Set([port]));
    const { sent, failures } = await fresh.end();
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(20);
    await link.publish({ routes: demo(app.port) });
    expect(link.openPorts()).toEqual(new Set());
  });

  it('hands over HTTPS too', async () => {
    const app = await startApp((_req, res) => res.end('here'));
    const { link, dir } = await startLink();
    cleanUp(() => stopEdge({ dir, clock, timeout: 0 }));
    const secure = { ...options(dir, link), https: { host: '127.0.0.1', port: 0 } };
    const { pem } = createAuthority().issue(['demo.test']);
    const certificates = [{ id: 'demo', names: ['demo.test'], fallback: true as const }];
    const first = await startEdge(secure);
    await link.publish({ routes: demo(app.port), certificates }, () => pem);
    const port = link.secureAddress()?.port ?? 0;
    expect(await askSecurely(port)).toBe('here');
    await first.leave();
    const next = await startEdge({ ...secure, version: 'next' });
    cleanUp(() => next.leave());
    await eventually(() => isGone(first.pids()[0] ?? 0), 15_000);
    expect(link.secureAddress()?.port).toBe(port);
    expect(await askSecurely(port)).toBe('here');
  });

  it('is replaced although the first successor is killed, and although it is killed itself right then', async () => {
    const app = await startApp((_req, res) => res.end('here'));
    const { link, port, replace, pid } = await started(app.port);
    const traffic = startTraffic({ port, host: 'demo.test' }, { clients: 2, pause: 2 });
    const fresh = startFreshConnections(port);
    const spawn = link.spawn.bind(link);
    let killed = 0;
    link.spawn = async (elder, argv) => {
      const heir = await spawn(elder, argv);
      if (killed++ === 0) process.kill(heir, 'SIGKILL');
      return heir;
    };
    const next = await replace('next');
    expect(killed).toBe(2);
    expect((await fresh.end()).failures).toEqual([]);
    expect((await traffic.end()).failures).toEqual([]);

    link.spawn = async (elder, argv) => {
      const heir = await spawn(elder, argv);
      process.kill(elder, 'SIGKILL');
      return heir;
    };
    const last = await replace('last');
    expect(new Set([pid, next, last]).size).toBe(3);
    expect(await exchange(port, get())).toContain('here');
  });

  it('is ended and started anew when its successors cannot start', async () => {
    const app = await startApp((_req, res) => res.end('here'));
    const { link, port, replace, pid } = await started(app.port);
    link.spawn = async () => {
      throw new Error('no');
    };
    expect(await replace('next')).not.toBe(pid);
    await link.publish({ routes: demo(app.port) });
    expect(await exchange(port, get())).toContain('here');
  });
});

describe('a new edge with the sockets of another', { timeout: 60_000 }, () => {
  it('serves from the snapshot on disk when control dies before it has said a word', async () => {
    const app = await startApp((_req, res) => res.end('here'));
    const { link, dir, port, pid, leave } = await started(app.port);
    await leave();
    const { argv } = options(dir, link);
    const words = ['--http', `127.0.0.1:${port}`, '--dir', dir, '--version', 'next', '--inherit'];
    const heir = await link.spawn(pid, [...argv, ...words]);
    await link.close();
    process.kill(pid, 'SIGKILL');
    await eventually(() => isGone(pid));
    expect(await exchange(port, get())).toContain('here');
    expect(isGone(heir)).toBe(false);
    await stopEdge({ dir, clock });
    expect(isGone(heir)).toBe(true);
  });
});

function askSecurely(port: number): Promise<string> {
  const target = { host: '127.0.0.1', port, headers: { host: 'demo.test' }, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const asked = request({ ...target, agent: false }, answer => {
      let text = '';
      answer.setEncoding('utf8').on('data', piece => {
        text += piece;
      });
      answer.once('end', () => resolve(text));
    });
    asked.once('error', reject).end();
  });
}

/** An edge that serves `demo` at this port, and what control does when it starts anew with a program of another version. */
async function started(target: number) {
  const { link, dir } = await startLink();
  cleanUp(() => stopEdge({ dir, clock, timeout: 0 }));
  let edge = await startEdge(options(dir, link));
  const leave = () => edge.leave();
  cleanUp(leave);
  await link.publish({ routes: demo(target) });
  const pidOf = () => edge.pids()[0] ?? 0;
  return {
    link,
    dir,
    port: link.address()?.port ?? 0,
    pid: pidOf(),
    leave,
    async replace(version: string): Promise<number> {
      await edge.leave();
      edge = await startEdge({ ...options(dir, link), version });
      return pidOf();
    },
  };
}
