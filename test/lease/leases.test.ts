import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/domain/app.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { Leases } from '../../src/lease/leases.ts';
import { silentLog as log } from '../../src/system/log.ts';

const begun = new Date('2030-01-01T00:00:00Z').getTime();
let root: string;
let dir: string;
let leases: Leases;
let now: number;
/** Ends a wait that is under way. */
let waits: (() => void)[];

const clock = {
  now: () => new Date(now),
  ticks: () => now,
  sleep: (_: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      waits.push(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
};
const appOf = (id: number, name: string): App => ({
  ...{ id, name: parseAppName(name), createdAt: new Date(), deployBranch: null, stopped: false },
});
const blog = appOf(1, 'blog');
const shop = appOf(2, 'shop');
const start = () => new Leases({ dir, clock, log });
const socketOf = async (app: App) => join((await leases.mount(app)).source, 'lease.sock');

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-lease-'));
  dir = join(root, 'lease');
  now = begun;
  waits = [];
  leases = start();
  await leases.openAll([blog, shop]);
});
afterEach(async () => {
  await leases.close();
  rmSync(root, { recursive: true, force: true });
});

const say = async (method: string, path: string, app = blog) => {
  const socketPath = await socketOf(app);
  return await new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    const asked = request({ socketPath, method, path }, response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) }),
      );
    });
    asked.once('error', reject).end();
  });
};

describe('a busy lease', () => {
  it('is taken for a number of seconds, told, and over by itself', async () => {
    expect(leases.busyUntil(blog)).toBe(0);
    const until = { busy_until: '2030-01-01T00:05:00.000Z' };
    expect(await say('POST', '/busy?seconds=300')).toEqual({ status: 200, body: until });
    expect(await say('GET', '/')).toEqual({ status: 200, body: until });
    expect(leases.busyUntil(blog)).toBe(begun + 300_000);
    now += 300_000;
    expect(leases.busyUntil(blog)).toBe(0);
    expect(await say('GET', '/')).toEqual({ status: 200, body: { busy_until: null } });
  });

  it('is of the app whose socket it came through', async () => {
    await say('POST', '/busy?seconds=300', shop);
    expect([leases.busyUntil(blog), leases.busyUntil(shop)]).toEqual([0, begun + 300_000]);
  });

  it('becomes longer and never shorter, until it is given back', async () => {
    await say('POST', '/busy?seconds=300');
    await say('POST', '/busy?seconds=60');
    expect(leases.busyUntil(blog)).toBe(begun + 300_000);
    await say('POST', '/busy?seconds=600');
    expect(leases.busyUntil(blog)).toBe(begun + 600_000);
    expect(await say('DELETE', '/busy')).toEqual({ status: 200, body: { busy_until: null } });
    expect(leases.busyUntil(blog)).toBe(0);
  });

  it('outlives the platform that it was told to, killed or not, at the same place', async () => {
    const { source } = await leases.mount(blog);
    await say('POST', '/busy?seconds=300');
    // What a killed one leaves behind: its socket, and half a file.
    await leases.close();
    writeFileSync(join(source, 'lease.sock'), '');
    writeFileSync(join(dir, '1', 'until.new'), '9');
    leases = start();
    await leases.openAll([blog]);
    expect(leases.busyUntil(blog)).toBe(begun + 300_000);
    expect((await leases.mount(blog)).source).toBe(source);
    expect((await say('DELETE', '/busy')).status).toBe(200);
    await leases.close();
    leases = start();
    await leases.openAll([blog]);
    expect(leases.busyUntil(blog)).toBe(0);
  });

  it('goes with its app', async () => {
    await say('POST', '/busy?seconds=300');
    await leases.forget(blog);
    expect(leases.busyUntil(blog)).toBe(0);
    expect(readdirSync(dir)).toEqual(['2']);
    await leases.forget(appOf(3, 'never'));
  });

  it('is kept from other users of the host, and open to whoever is in the container', async () => {
    const { source, target, readonly } = await leases.mount(blog);
    expect([target, readonly]).toEqual(['/run/wherry', true]);
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(dir)).toBe(0o700);
    expect(mode(source)).toBe(0o755);
    expect(mode(join(source, 'lease.sock'))).toBe(0o666);
    expect(readdirSync(source)).toEqual(['lease.sock']);
  });
});

describe('an app that says nonsense', () => {
  it.each([
    ['POST', '/busy', 400, /For how long is missing. Ask with POST \/busy\?seconds=300/],
    ['POST', '/busy?seconds=', 400, /not a whole number from 1 to 86400/],
    ['POST', '/busy?seconds=0', 400, /not a whole number/],
    ['POST', '/busy?seconds=-5', 400, /not a whole number/],
    ['POST', '/busy?seconds=1e4', 400, /not a whole number/],
    ['POST', '/busy?seconds=86401', 400, /not a whole number/],
    ['POST', '/busy?seconds=%00%ff', 400, /not a whole number/],
    ['GET', '/busy', 405, /There is only POST/],
    ['PUT', '/', 405, /There is only POST/],
    ['POST', '/../busy?seconds=5', 404, /There is only POST/],
    ['GET', '//elsewhere/', 404, /There is only POST/],
  ])('is told so: %s %s', async (method, path, status, error) => {
    const said = await say(method, path);
    expect(said).toEqual({ status, body: { error: expect.stringMatching(error) } });
    expect(leases.busyUntil(blog)).toBe(0);
  });

  it('is heard twenty times, and then once a second; others are heard all the same', async () => {
    for (let round = 0; round < 20; round += 1) expect((await say('GET', '/')).status).toBe(200);
    expect(await say('POST', '/busy?seconds=5')).toMatchObject({ status: 429 });
    expect(leases.busyUntil(blog)).toBe(0);
    expect((await say('GET', '/', shop)).status).toBe(200);
    now += 1000;
    expect((await say('GET', '/')).status).toBe(200);
    expect((await say('GET', '/')).status).toBe(429);
  });

  it.each([
    ['what is no HTTP', 'ahoy\r\n\r\n'],
    ['a head without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(10_000)}`],
  ])('is cut off: %s', async (_, text) => {
    const socket = connect(await socketOf(blog));
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket
      .on('error', () => {})
      .resume()
      .write(text);
    await closed;
    expect((await say('GET', '/')).status).toBe(200);
  });

  it('is cut off after ten seconds, whatever it sends meanwhile', async () => {
    const socket = connect(await socketOf(blog));
    const closed = new Promise(resolve => socket.once('close', resolve));
    await new Promise(resolve => socket.once('connect', resolve));
    socket.on('error', () => {}).write('GET / HTTP/1.1\r\n');
    await expect.poll(() => waits.length).toBe(1);
    waits[0]?.();
    await closed;
  });

  it('that opens too many connections keeps no other from being heard', async () => {
    const path = await socketOf(blog);
    const open = Array.from({ length: 40 }, () => connect(path).on('error', () => {}));
    await Promise.any(open.map(socket => new Promise(resolve => socket.once('close', resolve))));
    expect((await say('GET', '/', shop)).status).toBe(200);
    for (const socket of open) socket.destroy();
    await expect
      .poll(
        async () =>
          await say('GET', '/').then(
            ({ status }) => status,
            () => 0,
          ),
      )
      .toBe(200);
  });
});

describe('a lease that cannot be kept', () => {
  it('is told as such', async () => {
    mkdirSync(join(dir, '1', 'until.new'));
    expect(await say('POST', '/busy?seconds=300')).toMatchObject({ status: 503 });
    rmSync(join(dir, '1', 'until.new'), { recursive: true });
    expect((await say('POST', '/busy?seconds=301')).status).toBe(200);
  });

  it('keeps no app from running: a folder whose path is too long for a socket', async () => {
    const long = new Leases({ dir: join(root, 'long'.repeat(40)), clock, log });
    const { source } = await long.mount(blog);
    expect(existsSync(source)).toBe(true);
    await long.close();
  });
});
