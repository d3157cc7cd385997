import { beforeEach, describe, expect, it } from 'vitest';
import { edgeKey, readEdgePolicy } from '../../src/domain/edge-settings.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});

const run = (line: string) => bench.run(...line.split(' '));
const shown = async (key: string) => (await run(`proxy:report blog --proxy-${key}`)).stdout.trim();

describe('proxy:set', () => {
  it('stores what is given, unsets what is empty, reports both, and tells the edge at once', async () => {
    const before = bench.published();
    await run('proxy:set blog body-limit=50m sticky=true');
    await run('proxy:set --global body-limit=1g response-timeout=2m');
    expect(bench.published()).toBe(before + 2);
    const { stdout } = await run('proxy:report blog --format json');
    expect(JSON.parse(stdout)).toMatchObject({
      'body-limit': '50m',
      'global-body-limit': '1g',
      'computed-body-limit': '50m',
      'computed-response-timeout': '2m',
      'computed-sticky': 'true',
      'computed-hard-limit': '250',
      'computed-https-redirect': 'true',
    });
    await run('proxy:set blog body-limit=');
    expect(await shown('computed-body-limit')).toBe('1g');
  });

  it("takes dokku's form, and nginx's names", async () => {
    expect((await run('nginx:set blog client-max-body-size 20m')).code).toBe(0);
    expect(await shown('body-limit')).toBe('20m');
    await run('proxy:set blog proxy-read-timeout=90s');
    expect(await shown('response-timeout')).toBe('90s');
    await run('nginx:set blog client-max-body-size');
    expect(await shown('body-limit')).toBe('');
  });

  it('chooses what is in front for all apps, and not beside another proxy', async () => {
    expect(await shown('global-type')).toBe('edge');
    expect((await run('proxy:set --global type=edge')).code).toBe(0);
    const both = await run('proxy:set --global type=haproxy trusted-proxies=10.0.0.1');
    expect(both.stderr).toContain('type=haproxy does not go with trusted-proxies.');
    expect((await run('proxy:set --global type=squid')).stderr).toContain('Known are: edge, haproxy.');
    expect((await run('proxy:set blog type=edge')).stderr).toContain('type is of the whole edge');
    expect(await shown('global-type')).toBe('edge');
  });

  it('shows the header that the settings of HSTS lead to', async () => {
    expect(await shown('strict-transport-security')).toBe('');
    await run('nginx:set blog hsts true');
    expect(await shown('strict-transport-security')).toBe('max-age=15724800');
    await run('proxy:set blog hsts-preload=true hsts-include-subdomains=true hsts-max-age=31536000');
    expect(await shown('strict-transport-security')).toBe('max-age=31536000; includeSubDomains; preload');
  });

  it('leaves out of the header what settings for all make impossible later', async () => {
    await run('proxy:set --global hsts-include-subdomains=true hsts-max-age=31536000');
    expect((await run('proxy:set blog hsts=true hsts-preload=true')).code).toBe(0);
    await run('proxy:set --global hsts-max-age=60');
    expect(await shown('strict-transport-security')).toBe('max-age=60; includeSubDomains');
  });

  it.each([
    ['body-limit=lots', 'is not a size'],
    ['body-limit=-1', 'is not a size'],
    ['body-limit=2t', 'is not a size'],
    ['body-limit=1.5m', 'is not a size'],
    ['response-timeout=0', 'is not a time from 1s to 24h'],
    ['response-timeout=25h', 'is not a time from 1s to 24h'],
    ['hard-limit=0', 'is not a whole number from 1 to 10000'],
    ['hard-limit=1e3', 'is not a whole number'],
    ['sticky=yes', 'neither true nor false'],
    ['hsts=true hsts-preload=true', 'needs hsts-include-subdomains=true'],
    ['hsts-max-age=63072001', 'is not a whole number'],
    ['proxy-buffer-size 4k', 'is no setting. Give SETTING=VALUE of: body-limit'],
    ['hsts true now', 'Give one property and its value'],
    ['body-limit=1m client-max-body-size=2m', 'is given twice'],
    ['__proto__=1', 'is no setting'],
    ['trusted-proxies=10.0.0.0/8', 'is of the whole edge'],
  ])('refuses %s and stores nothing', async (words, reason) => {
    const ran = await run(`proxy:set blog ${words}`);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    const { stdout } = await run('proxy:report blog --format json');
    const own = Object.entries(JSON.parse(stdout)).filter(([key]) => !/^(computed|global)-/.test(key));
    expect(own.map(([, value]) => value).join('')).toBe('');
  });
});

describe('proxy:set --global', () => {
  it('sets how the edge takes connections', async () => {
    expect((await run('proxy:set --global trusted-proxies=10.0.0.0/8,::1 proxy-protocol=true')).code).toBe(0);
    await run('proxy:set --global connections=500');
    expect(await shown('global-trusted-proxies')).toBe('10.0.0.0/8,::1');
    expect(readEdgePolicy(name => bench.store.properties.get('global', edgeKey(name)))).toEqual({
      trustedProxies: ['10.0.0.0/8', '::1'],
      proxyProtocol: true,
      connections: 500,
    });
  });

  it.each([
    ['trusted-proxies=10.0.0.0/33', 'is no address or range of trusted proxies'],
    ['trusted-proxies=proxy.example', 'is no address or range of trusted proxies'],
    ['proxy-protocol=true', 'needs trusted-proxies'],
    ['proxy-protocol=v2', 'neither true nor false'],
    ['connections=1', 'is not a whole number from 10'],
    ['connections-per-address=0', 'is not a whole number from 1'],
  ])('refuses %s and stores nothing', async (words, reason) => {
    const ran = await run(`proxy:set --global ${words}`);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(readEdgePolicy(name => bench.store.properties.get('global', edgeKey(name)))).toBeUndefined();
  });

  it('is reported without an app', async () => {
    await run('proxy:set --global body-limit=1g connections=500');
    const { stdout } = await run('proxy:report --global');
    expect(stdout).toMatch(/^=====> Global proxy information\n/);
    expect(stdout).toMatch(/Proxy global body limit: +1g\n/);
    expect(JSON.parse((await run('proxy:report --global --format json')).stdout)).toMatchObject({
      'global-connections': '500',
      'global-connections-per-address': '1000',
    });
    await bench.services.plugins.open();
    expect((await run('redirect:report --global')).stderr).toContain('Please specify an app');
  });

  it('names the app that gets what is for nobody, which has to be there', async () => {
    expect((await run('proxy:set --global catch-all=blog')).code).toBe(0);
    expect(readEdgePolicy(name => bench.store.properties.get('global', edgeKey(name)))).toEqual({
      catchAll: 'blog',
    });
    expect(await run('proxy:set --global catch-all=none')).toMatchObject({
      code: 20,
      stderr: expect.stringContaining('App none does not exist'),
    });
  });

  it('refuses to leave a PROXY header without proxies that may write it', async () => {
    await run('proxy:set --global trusted-proxies=10.0.0.0/8 proxy-protocol=true');
    expect((await run('proxy:set --global trusted-proxies=')).stderr).toContain('needs trusted-proxies');
  });
});
