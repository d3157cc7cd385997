import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { FromEdge, Route, ToEdge } from '../../src/domain/route.ts';
import { cleanUp, demo, eventually, exchange, get, ok, openClient, pause, startRawApp } from './harness.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('the edge process', { timeout: 30_000 }, () => {
  it('serves from the snapshot on disk without control, and says ready', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const dir = await folder();
    await writeFile(join(dir, 'snapshot.json'), JSON.stringify({ generation: 7, routes: demo(app.port) }));
    const edge = await startEdge(dir);
    expect(await exchange(edge.port, get())).toContain('200 OK');
  });

  it('starts empty when the snapshot on disk cannot be read', async () => {
    const dir = await folder();
    await writeFile(join(dir, 'snapshot.json'), '{"generation":1,"rou');
    const edge = await startEdge(dir);
    expect(await exchange(edge.port, get())).toContain('X-Wherry-Reason: no-routes');
  });

  it('takes the change of one route, and asks for everything when it is one of another snapshot', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const dir = await folder();
    const control = await startControl(dir);
    const edge = await startEdge(dir);
    await eventually(() => control.messages.length === 1);
    control.publish(5, [{ app: 'demo', domains: ['demo.test'], state: 'stopped', targets: [] }]);
    const route = demo(app.port)[0] as Route;
    control.tell({ kind: 'route', generation: 6, after: 5, route });
    await eventually(() => control.messages.length === 3);
    expect(control.messages[2]).toEqual({ kind: 'applied', generation: 6, draining: [] });
    expect(await exchange(edge.port, get())).toContain('200 OK');

    control.tell({
      kind: 'route',
      generation: 9,
      after: 8,
      route: { ...route, state: 'stopped', targets: [] },
    });
    await eventually(() => control.messages.length === 4);
    expect(control.messages[3]).toMatchObject({ kind: 'hello', generation: 6 });
    expect(await exchange(edge.port, get())).toContain('200 OK');
  });

  it('follows control: applies, stores, acknowledges, and connects again after control died', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const dir = await folder();
    const control = await startControl(dir);
    const edge = await startEdge(dir);
    await eventually(() => control.messages.length === 1);
    expect(control.messages[0]).toMatchObject({
      kind: 'hello',
      generation: 0,
      pid: edge.child.pid,
      http: { host: '127.0.0.1', port: edge.port },
      draining: [],
    });
    control.publish(5, demo(app.port));
    await eventually(() => control.messages.length === 2);
    expect(control.messages[1]).toEqual({ kind: 'applied', generation: 5, draining: [] });
    expect(await exchange(edge.port, get())).toContain('200 OK');
    await eventually(
      async () => JSON.parse(await readFile(join(dir, 'snapshot.json'), 'utf8')).generation === 5,
    );

    control.publish(4, []);
    await eventually(() => control.messages.length === 3);
    expect(await exchange(edge.port, get())).toContain('200 OK');

    await control.die();
    expect(await exchange(edge.port, get())).toContain('200 OK');
    const next = await startControl(dir);
    await eventually(() => next.messages.length === 1);
    expect(next.messages[0]).toMatchObject({ kind: 'hello', generation: 5 });
  });

  it('says that instances are left out only when it would not come back with them', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const dir = await folder();
    const control = await startControl(dir);
    await startEdge(dir);
    await eventually(() => control.messages.length === 1);
    for (let round = 1; round <= 10; round += 1) {
      control.publish(round * 2, demo(app.port));
      control.publish(round * 2 + 1, [{ app: 'demo', domains: ['demo.test'], state: 'asleep', targets: [] }]);
      const applied = (message: FromEdge) =>
        message.kind === 'applied' && message.generation === round * 2 + 1;
      await eventually(() => control.messages.some(applied));
      const stored = JSON.parse(await readFile(join(dir, 'snapshot.json'), 'utf8'));
      expect(stored.generation).toBe(round * 2 + 1);
    }
  });

  it('tells a control that comes back what still drains', async () => {
    const app = await startRawApp(() => {});
    const dir = await folder();
    const control = await startControl(dir);
    const edge = await startEdge(dir);
    await eventually(() => control.messages.length === 1);
    control.publish(5, demo(app.port));
    const client = await openClient(edge.port);
    await eventually(() => control.messages.length === 2);
    client.send(get());
    await eventually(() => app.received.join('').includes('GET'));
    control.publish(6, []);
    await eventually(() => control.messages.length === 3);
    const target = `demo-${app.port}`;
    expect(control.messages[2]).toEqual({ kind: 'applied', generation: 6, draining: [target] });
    await control.die();
    const next = await startControl(dir);
    await eventually(() => next.messages.length === 1);
    expect(next.messages[0]).toMatchObject({ kind: 'hello', generation: 6, draining: [target] });
    app.sockets[0]?.write(ok);
    expect(await client.closed()).toContain('200 OK');
    await eventually(() => next.messages.length === 2);
    expect(next.messages[1]).toEqual({ kind: 'drained', target });
  });

  it('survives nonsense from control', async () => {
    const dir = await folder();
    const control = await startControl(dir);
    const edge = await startEdge(dir);
    await eventually(() => control.messages.length === 1);
    control.sockets[0]?.write('nonsense\n{}\nnull\n{"kind":"snapshot","snapshot":{"generation":"x"}}\n');
    control.publish(3, []);
    await eventually(() => control.messages.length === 2);
    expect(await exchange(edge.port, get())).toContain('404');
  });

  it('ends on SIGTERM with 0 after what was in flight', async () => {
    const app = await startRawApp(() => {});
    const dir = await folder();
    await writeFile(join(dir, 'snapshot.json'), JSON.stringify({ generation: 7, routes: demo(app.port) }));
    const edge = await startEdge(dir);
    const client = await openClient(edge.port);
    client.send(get());
    await eventually(() => app.received.join('').includes('GET'));
    const exited = once(edge.child, 'exit');
    edge.child.kill('SIGTERM');
    await pause(200);
    app.sockets[0]?.write(ok);
    expect(await client.closed()).toContain('200 OK');
    expect(await exited).toEqual([0, null]);
    expect(await readFile(join(dir, 'access', 'demo.log'), 'utf8')).toMatch(/^\{.*"status":200,.*\}\n$/);
  });

  it('says in one line why it cannot start', async () => {
    const dir = await folder();
    const edge = await startEdge(dir);
    const second = spawnEdge(dir, `127.0.0.1:${edge.port}`);
    let text = '';
    second.stderr?.on('data', chunk => {
      text += chunk;
    });
    expect(await once(second, 'exit')).toEqual([1, null]);
    expect(JSON.parse(text.trim()).msg).toBe(
      `Another program listens on 127.0.0.1:${edge.port} already. Stop it, or choose another --http or --https.`,
    );
  });
});

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'edge-'));
  cleanUp(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function spawnEdge(dir: string, http: string): ChildProcess {
  const args = ['--import', import.meta.resolve('tsx'), main, 'edge', '--http', http, '--dir', dir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  cleanUp(async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  });
  return child;
}

async function startEdge(dir: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawnEdge(dir, '127.0.0.1:0');
  let out = '';
  let log = '';
  child.stdout?.on('data', chunk => {
    out += chunk;
  });
  child.stderr?.on('data', chunk => {
    log += chunk;
  });
  await eventually(() => out === 'ready\n' && log.includes('"serving"'), 20_000);
  const line = log.split('\n').find(each => each.includes('"serving"')) ?? '';
  return { child, port: JSON.parse(line).http.port };
}

async function startControl(dir: string) {
  const messages: FromEdge[] = [];
  const sockets: Socket[] = [];
  const server = createServer(socket => {
    sockets.push(socket);
    let partial = '';
    socket.on('error', () => {});
    socket.on('data', chunk => {
      const lines = (partial + chunk).split('\n');
      partial = lines.pop() ?? '';
      messages.push(...lines.map(line => JSON.parse(line) as FromEdge));
    });
  });
  const path = join(dir, 'control.sock');
  await rm(path, { force: true });
  await new Promise<void>(resolve => server.listen(path, resolve));
  const die = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise(resolve => server.close(resolve));
  };
  cleanUp(die);
  const tell = (message: ToEdge) => void sockets.at(-1)?.write(`${JSON.stringify(message)}\n`);
  return {
    messages,
    sockets,
    die,
    publish: (generation: number, routes: Route[]) =>
      tell({ kind: 'snapshot', snapshot: { generation, routes } }),
    tell,
  };
}
