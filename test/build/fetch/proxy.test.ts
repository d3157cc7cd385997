import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllowedHosts } from '../../../src/build/fetch/addresses.ts';
import { open, readAnswer } from '../../../src/build/fetch/download.ts';
import { proxyFor, readProxies } from '../../../src/system/proxy.ts';
import { openProxy } from '../support/proxy-host.ts';

const { signal } = new AbortController();

describe('the proxy of a URL', () => {
  const set = { HTTPS_PROXY: 'http://proxy.test:3128', http_proxy: 'plain.test:8080' };
  const through = (url: string, env: Record<string, string>) =>
    proxyFor(new URL(url), readProxies(env))?.host;

  it('is the one for its protocol, in either case of the name', () => {
    expect(through('https://example.org/', set)).toBe('proxy.test:3128');
    expect(through('http://example.org/', set)).toBe('plain.test:8080');
    expect(through('http://example.org/', { HTTPS_PROXY: 'proxy.test' })).toBeUndefined();
    expect(proxyFor(new URL('https://example.org/'), undefined)).toBeUndefined();
  });

  it.each([
    ['example.org', 'https://example.org/', true],
    ['example.org', 'https://git.example.org/', true],
    ['.example.org', 'https://git.example.org/', true],
    ['*.Example.org', 'https://git.example.org/', true],
    ['example.org', 'https://badexample.org/', false],
    ['example.org:8443', 'https://example.org:8443/', true],
    ['example.org:8443', 'https://example.org/', false],
    ['127.0.0.1, ::1', 'https://[::1]/', false],
    ['*', 'https://anything.test/', true],
    ['', 'https://example.org/', false],
  ])('with NO_PROXY %j is left out for %s: %s', (NO_PROXY, url, direct) => {
    expect(through(url, { ...set, NO_PROXY }) === undefined).toBe(direct);
  });

  it.each(['socks5://proxy.test', 'https://proxy.test', 'http://', '::'])('cannot be %s', HTTPS_PROXY => {
    expect(() => through('https://example.org/', { HTTPS_PROXY })).toThrow(
      /HTTPS_PROXY names is not supported/,
    );
  });
});

describe('what is fetched through a proxy', () => {
  let target: Server;
  let port: number;
  const heard: (string | undefined)[] = [];
  beforeEach(async () => {
    heard.length = 0;
    target = createServer((request, response) => {
      heard.push(request.headers['proxy-authorization']);
      response.end(`hello from ${request.url}`);
    });
    await new Promise<void>(resolve => target.listen(0, '127.0.0.1', resolve));
    port = (target.address() as AddressInfo).port;
  });
  afterEach(async () => await new Promise(resolve => target.close(resolve)));

  const get = async (url: string, env: Record<string, string>, allowed = '') =>
    String(
      await readAnswer(
        await open(new URL(url), { allowed: parseAllowedHosts(allowed), proxies: readProxies(env), signal }),
        1000,
      ),
    );

  it('need not be known here, and hears nothing of what the proxy is told', async () => {
    const proxy = await openProxy('ann:s3cret');
    try {
      const url = `http://nobody-knows.test:${port}/page`;
      expect(await get(url, { HTTP_PROXY: proxy.url }, 'nobody-knows.test')).toBe('hello from /page');
      expect(proxy.asked).toEqual([`GET ${url}`]);
      expect(heard).toEqual([undefined]);
    } finally {
      await proxy.close();
    }
  });

  it('is refused all the same where it is an address inside the network', async () => {
    const proxy = await openProxy();
    try {
      const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url };
      for (const url of [
        'https://169.254.169.254/',
        'https://127.0.0.1/',
        'https://localhost/',
        'http://a.test/',
      ])
        await expect(get(url, env), url).rejects.toMatchObject({ code: 'access-denied' });
      expect(proxy.asked).toEqual([]);
    } finally {
      await proxy.close();
    }
  });

  it('fails with a sentence when the proxy refuses or is gone', async () => {
    const proxy = await openProxy('ann:s3cret');
    const env = { HTTPS_PROXY: proxy.url.replace('s3cret', 'wrong') };
    const failure = await get('https://nobody-knows.test/', env).catch(error => String(error.message));
    expect(failure).toMatch(/the proxy "127\.0\.0\.1:\d+" answers with status 407/);
    expect(failure).not.toContain('wrong');
    await proxy.close();
    await expect(get('https://nobody-knows.test/', env)).rejects.toThrow(
      /cannot be reached: connect ECONNREFUSED/,
    );
  });
});
