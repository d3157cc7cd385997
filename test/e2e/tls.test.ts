import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { createAuthority } from '../support/certificates.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('a visitor over HTTPS', () => {
  const authority = createAuthority();
  let wherry: Wherry;
  const get = (path: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const host = wherry.hostOf('site');
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: wherry.httpsPort,
          servername: host,
          headers: { host },
          path,
          ca: authority.root,
          agent: false,
        },
        incoming => {
          let text = '';
          incoming.on('data', piece => (text += piece));
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
        },
      );
      outgoing.on('error', reject);
      outgoing.end();
    });
  beforeAll(async () => {
    wherry = await startWherry({ https: true });
    const pushed = await (await wherry.repository('site', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  it('gets the certificate that was given, and is sent there from plain HTTP', async () => {
    expect((await wherry.get('site')).status).toBe(200);
    const given = await wherry.cliWith(authority.issue([wherry.hostOf('site')]).pem, 'certs:add', 'site');
    expect(given.code, given.output).toBe(0);
    expect(JSON.parse((await get('/headers')).text)).toMatchObject({ 'x-forwarded-proto': 'https' });
    const plain = await wherry.get('site', '/whoami');
    expect(plain.status).toBe(301);
    expect(plain.headers.location).toBe(`https://${wherry.hostOf('site')}:${wherry.httpsPort}/whoami`);
    expect((await wherry.ssh('urls', 'site')).stdout).toContain(`https://${wherry.hostOf('site')}`);
  });

  it('is handled as `proxy:set` says, at once', async () => {
    await wherry.ssh('proxy:set', 'site', 'https-redirect=false');
    expect((await wherry.get('site', '/whoami')).status).toBe(200);
    await wherry.ssh('proxy:set', 'site', 'https-redirect=');
    expect((await wherry.get('site', '/whoami')).status).toBe(301);
  });

  it('is served on while the daemon is away, by an edge that was started anew', async () => {
    await wherry.kill();
    expect((await get('/')).status).toBe(200);
    await wherry.start();
    expect((await get('/')).status).toBe(200);
  });

  it('finds the certificate gone when it was removed', async () => {
    await wherry.cli('certs:remove', 'site');
    await expect(get('/')).rejects.toThrow();
    expect((await wherry.get('site')).status).toBe(200);
  });
});
