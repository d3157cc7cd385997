import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { probe } from '../support/apps.ts';
import { ask } from '../support/http.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('a visitor', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    const pushed = await (await wherry.repository('site', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  it('talks over a WebSocket', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${wherry.httpPort}/`, {
      headers: { host: wherry.hostOf('site') },
    });
    const echoed = await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send('over the edge'));
      socket.once('message', data => resolve(String(data)));
    });
    socket.close();
    expect(echoed).toBe('over the edge');
  });

  it('gets server-sent events as they happen', async () => {
    const chunks = await new Promise<string[]>((resolve, reject) => {
      const seen: string[] = [];
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: wherry.httpPort,
          path: '/events',
          headers: { host: wherry.hostOf('site') },
        },
        incoming => {
          incoming.on('data', chunk => {
            seen.push(String(chunk));
            if (seen.length === 3) outgoing.destroy();
          });
          incoming.once('close', () => resolve(seen));
          incoming.on('error', () => {});
        },
      );
      outgoing.setTimeout(10_000, () => reject(new Error('No events came.')));
      outgoing.end();
    });
    expect(chunks.join('')).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  });

  it('uploads and downloads much, whole', async () => {
    const body = randomBytes(20 * 2 ** 20);
    const upload = await wherry.get('site', '/upload', { method: 'POST', body });
    expect(JSON.parse(upload.text)).toEqual({
      size: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
    const size = await new Promise(resolve => {
      let got = 0;
      request(
        {
          host: '127.0.0.1',
          port: wherry.httpPort,
          path: '/download?mb=50',
          headers: { host: wherry.hostOf('site') },
        },
        incoming => incoming.on('data', chunk => (got += chunk.length)).once('end', () => resolve(got)),
      ).end();
    });
    expect(size).toBe(50 * 2 ** 20);
  });

  it('is announced to the app by the edge, not by what it claims', async () => {
    const { text } = await wherry.get('site', '/headers', {
      headers: {
        'x-forwarded-for': '6.6.6.6',
        'x-forwarded-proto': 'https',
        connection: 'x-secret',
        'x-secret': 'hop',
      },
    });
    const headers = JSON.parse(text);
    expect(headers.host).toBe(wherry.hostOf('site'));
    expect(headers['x-forwarded-for']).toMatch(/127\.0\.0\.1$/);
    expect(headers['x-forwarded-proto']).toBe('http');
    expect(headers['x-secret']).toBeUndefined();
  });

  it('gets 404 for a host that nobody has', async () => {
    expect((await ask({ port: wherry.httpPort, host: 'nobody.example.org' })).status).toBe(404);
    expect((await ask({ port: wherry.httpPort, host: '127.0.0.1' })).status).toBe(404);
  });

  it('gets 502 and whose fault it is when the app dies under the request', async () => {
    const slow = wherry.get('site', '/slow?ms=20000');
    await new Promise(resolve => setTimeout(resolve, 300));
    await wherry.get('site', '/exit?code=1').catch(() => {});
    const answer = await slow;
    expect(answer.status).toBe(502);
    expect(answer.text).toMatch(/app/i);
  });
});
