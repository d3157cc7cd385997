import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// No push: an app with nothing deployed has visitors too.
describe('what an operator sees of visits', () => {
  let wherry: Wherry;
  let metricsPort = 0;
  beforeAll(async () => {
    [metricsPort = 0] = await freePorts(1);
    wherry = await startWherry({ env: { WHERRY_METRICS: `127.0.0.1:${metricsPort}` } });
    await wherry.ssh('apps:create', 'blog');
  });
  afterAll(() => wherry?.stop());

  it('is a line for each, in either format, by ssh', async () => {
    const { status } = await wherry.get('blog', '/a?token=secret');
    expect(status).toBe(503);
    await until('the line', async () =>
      (await wherry.ssh('proxy:logs', 'blog')).stdout.includes('"GET /a HTTP/1.1" 503'),
    );
    const { stdout } = await wherry.ssh('proxy:logs', 'blog', '--format', 'json', '-n', '1');
    expect(JSON.parse(stdout)).toMatchObject({ path: '/a', status: 503, reason: 'app-undeployed' });
    expect(stdout).not.toContain('secret');
  });

  it('is counted for Prometheus, at the address that was set and by the command', async () => {
    const line = /^wherry_edge_requests_total\{app="blog",code="5xx",method="GET"\} [1-9]/m;
    expect(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()).toMatch(line);
    expect((await wherry.cli('proxy:metrics')).stdout).toMatch(line);
  });

  it('names the visitor that a proxy tells, once that is trusted', async () => {
    const client = async () => {
      await wherry.get('blog', '/told', { headers: { 'x-forwarded-for': '203.0.113.9' } });
      const { stdout } = await wherry.ssh('proxy:logs', 'blog', '--format', 'json', '-n', '1');
      return stdout === '' ? '' : JSON.parse(stdout).client;
    };
    expect(await client()).not.toBe('203.0.113.9');
    await wherry.ssh('proxy:set', '--global', 'trusted-proxies=127.0.0.0/8');
    await until('the visitor', async () => (await client()) === '203.0.113.9');
    await wherry.ssh('proxy:set', '--global', 'trusted-proxies=');
  });

  it('is that they are sent elsewhere, asked who they are, or not known, as was told', async () => {
    await wherry.ssh('domains:add', 'blog', 'www.example.com');
    await wherry.ssh('redirect:set', 'blog', 'www.example.com', 'example.com', '308');
    const sent = await wherry.get('blog', '/a?b', { host: 'www.example.com:8080' });
    expect(sent).toMatchObject({ status: 308, headers: { location: 'http://example.com:8080/a?b' } });

    expect((await wherry.cliWith('secret\n', 'http-auth:enable', 'blog', 'ann')).code).toBe(0);
    expect((await wherry.get('blog')).status).toBe(401);
    const authorization = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    const known = await wherry.get('blog', '/', { headers: { authorization } });
    expect(known.headers['x-wherry-reason']).toBe('app-undeployed');
    const { stdout } = await wherry.ssh('proxy:logs', 'blog', '--format', 'json');
    expect(stdout).not.toMatch(/secret|scrypt/);
    await wherry.ssh('http-auth:disable', 'blog');

    await wherry.ssh('domains:disable', 'blog');
    expect((await wherry.get('blog')).status).toBe(404);
    await wherry.ssh('proxy:set', '--global', 'catch-all=blog');
    expect((await wherry.get('blog', '/', { host: 'nobody.example' })).status).toBe(503);
    await wherry.ssh('proxy:set', '--global', 'catch-all=');
    await wherry.ssh('domains:enable', 'blog');
    expect((await wherry.get('blog')).status).toBe(503);
  });

  it('may be the app’s own page, also after the daemon was killed', async () => {
    const page = '<h1>Back at noon</h1>';
    expect((await wherry.cliWith(page, 'error-pages:set', 'blog', 'maintenance')).code).toBe(0);
    expect((await wherry.ssh('maintenance:enable', 'blog')).code).toBe(0);
    const shows = async () => (await wherry.get('blog')).text === page;
    await until('the page', shows);
    await wherry.kill();
    expect(await shows()).toBe(true);
    await wherry.start();
    expect(await shows()).toBe(true);
    await wherry.ssh('maintenance:disable', 'blog');
    expect((await wherry.get('blog')).headers['x-wherry-reason']).toBe('app-undeployed');
  });
});
