import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../../src/api/server.ts';
import { ask, servicesOf, startApi } from './support.ts';

let started: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  started = await startApi();
});
afterEach(() => started.close());

const another = (socket: string) => createApi({ socket, ...servicesOf(started.bench) });

describe('the socket', () => {
  it('is for its owner alone', () => {
    expect(statSync(started.socket).mode & 0o777).toBe(0o600);
  });

  it('is not taken from a daemon that serves it', async () => {
    await expect(another(started.socket).listen()).rejects.toThrow(/Another Wherry serves/);
    expect((await ask(started.socket, { path: '/v1/commands' })).status).toBe(200);
  });

  it('is made anew where a crash left its file', async () => {
    const left = join(started.folder, 'left.sock');
    writeFileSync(left, '');
    const api = another(left);
    await api.listen();
    expect((await ask(left, { path: '/v1/version' })).text).toBe('{"version":"1.2.3"}\n');
    await api.close();
  });

  it('with too long a path is refused in a sentence', async () => {
    await expect(another(join(started.folder, 'x'.repeat(120))).listen()).rejects.toThrow(/shorter path/);
  });

  it('leaves the mask for new files as it was', async () => {
    const before = process.umask();
    const api = another(join(started.folder, 'second.sock'));
    await api.listen();
    expect(process.umask()).toBe(before);
    await api.close();
  });

  it('closes at once, with a client that never ends', async () => {
    const { bench, socket } = started;
    await bench.deployed('blog');
    const following = ask(socket, { path: '/v1/logs?app=blog&tail=true' }).catch(error => error);
    await new Promise(resolve => setTimeout(resolve, 50));
    await started.api.close();
    expect(await following).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('what is not there', () => {
  it.each([['/'], ['/v2/apps/list'], ['/v1'], ['/v1/a/b/c'], ['/v1/apps/none'], ['/v1/..%2f..%2fetc']])(
    '%s is 404 with a sentence',
    async path => {
      const { status, text } = await ask(started.socket, { path });
      expect(status).toBe(404);
      expect(JSON.parse(text).detail).toMatch(/\.$/);
    },
  );

  it('does not fall over a path that is not well formed', async () => {
    expect((await ask(started.socket, { path: '/v1/%ff' })).status).toBe(400);
  });
});

describe('GET /v1/commands', () => {
  it('describes every command with a schema for each argument', async () => {
    const { text } = await ask(started.socket, { path: '/v1/commands' });
    const commands = JSON.parse(text) as { name: string; args: unknown[]; flags: { flag: string }[] }[];
    expect(commands).toHaveLength(started.bench.registry.list().length);
    expect(commands.find(each => each.name === 'logs')).toMatchObject({
      usage: expect.stringContaining('logs'),
      stream: true,
      args: [{ name: 'app', required: true, schema: { type: 'string' } }],
    });
  });
});
