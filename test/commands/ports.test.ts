import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { closedPort } from '../edge/harness.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});

const run = (line: string) => bench.run(...line.split(' '));
const map = async () => (await run('ports:report blog --ports-map')).stdout.trim();
const toldPort = () => bench.runtime.told.at(-1)?.desired.port;

describe('ports', () => {
  it('are listed as dokku does, or said to be none', async () => {
    await run('apps:create blog');
    expect(await run('ports:list blog')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(' !     No port mappings configured for app\n'),
    });
    await run('ports:set blog https:443:3000 http:80:3000');
    expect((await run('ports:list blog')).stdout).toBe(
      '-----> Port mappings for blog\n-----> scheme  host port  container port\nhttp           80         3000\nhttps          443        3000\n',
    );
    expect(JSON.parse((await run('ports:list blog --format json')).stdout)).toEqual([
      { scheme: 'http', host_port: 80, container_port: 3000 },
      { scheme: 'https', host_port: 443, container_port: 3000 },
    ]);
  });

  it('are added, removed by any part, and cleared', async () => {
    await run('apps:create blog');
    await run('ports:add blog http:80:3000');
    await run('ports:add blog https:443:3000 http:80:3000');
    expect(await map()).toBe('http:80:3000 https:443:3000');
    await run('ports:remove blog 443');
    expect(await map()).toBe('http:80:3000');
    expect((await run('ports:remove blog 443')).stderr).toContain('App blog has no port mapping 443');
    await run('ports:clear blog');
    expect(await map()).toBe('');
    expect((await run('ports:report blog --ports-map-detected')).stdout).toBe('http:80:5000\n');
  });

  it('replace web of an app that runs, so that it is told its port', async () => {
    await bench.deployed('blog');
    await run('ports:set blog http:80:3000');
    expect(toldPort()).toBe(3000);
    const before = bench.runtime.told.length;
    await run('ports:add blog https:443:3000');
    expect(bench.runtime.told.length).toBe(before);
    await run('ports:clear blog');
    expect(toldPort()).toBeUndefined();
    expect(bench.runtime.told.length).toBe(before + 1);
  });

  it('leave a stopped app stopped', async () => {
    await bench.deployed('blog');
    await run('ps:stop blog');
    await run('ports:set blog http:80:3000');
    expect(bench.runtime.told).toEqual([]);
    expect(await map()).toBe('http:80:3000');
  });

  it('stay as they were when web does not listen there', async () => {
    await bench.deployed('blog');
    await run('ports:set blog http:80:3000');
    bench.runtime.says.fault = new WherryError('check-failed', 'Nothing listens on port 4000.');
    expect((await run('ports:set blog http:80:4000')).stderr).toContain('Nothing listens on port 4000');
    expect(await map()).toBe('http:80:3000');
  });

  it('of the host are shared by apps that speak the same there', async () => {
    const port = await closedPort();
    await run('apps:create blog');
    await run('apps:create shop');
    expect((await run(`ports:add blog http:${port}:3000`)).code).toBe(0);
    expect((await run(`ports:add shop http:${port}:5000`)).code).toBe(0);
    const refused = await run(`ports:set shop https:${port}:5000`);
    expect(refused.stderr).toContain(`Port ${port} is for http, by the map of app blog`);
    expect((await run('ports:report shop --ports-map')).stdout.trim()).toBe(`http:${port}:5000`);
  });

  it("for TCP are one app's alone, stay with it when it is cloned, and may lead elsewhere than PORT", async () => {
    const port = await closedPort();
    await bench.deployed('blog');
    await run('apps:create shop');
    expect((await run(`ports:set blog http:80:3000 tcp:${port}:6379`)).code).toBe(0);
    expect(toldPort()).toBe(3000);
    for (const scheme of ['tcp', 'http'])
      expect((await run(`ports:add shop ${scheme}:${port}:6379`)).stderr).toContain(
        `Port ${port} is for tcp, by the map of app blog`,
      );
    expect((await run('apps:clone --skip-deploy blog copy')).code).toBe(0);
    expect((await run('ports:report copy --ports-map')).stdout.trim()).toBe('http:80:3000');
    await run(`ports:set blog tcp:${port}:6379`);
    expect(toldPort()).toBe(6379);
  });

  it('of the host are refused when another program has them, or the edge cannot open them', async () => {
    await run('apps:create blog');
    const server = createServer().listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const taken = await run(`ports:add blog http:${port}:3000`);
    server.close();
    expect(taken.stderr).toContain(`Another program listens on port ${port} of the host already`);

    bench.edge.open = new Set();
    const shut = await run(`ports:add blog http:${await closedPort()}:3000`);
    expect(shut.stderr).toContain('The edge could not open port');
    expect(await map()).toBe('');
  });

  it.each([
    ['80:3000', 'is no port mapping'],
    ['http:80', 'is no port mapping'],
    ['http:0:3000', 'is no port mapping'],
    ['http:80:65536', 'is no port mapping'],
    ['http:80:3000:1', 'is no port mapping'],
    ['grpc:80:3000', 'port 80 is for http, for all apps'],
    ['grpc:443:3000', 'port 443 is for https, for all apps'],
    ['grpcs:443:3000 https:443:3000', 'are both for port 443'],
    ['tcp:80:3000', 'port 80 is for http, for all apps'],
    ['tcp:443:3000', 'port 443 is for https, for all apps'],
    ['tcp:2222:3000', 'Port 2222 is for SSH'],
    ['udp:5353:53', 'Scheme "udp" is not supported'],
    ['http:22:3000', 'Port 22 is for SSH'],
    ['http:2222:3000', 'Port 2222 is for SSH'],
    ['http:443:3000', 'port 443 is for https, for all apps'],
    ['https:80:3000', 'port 80 is for http, for all apps'],
    ['http:80:3000 http:80:4000', 'are both for port 80'],
    ['http:18080:3000 https:18080:3000', 'are both for port 18080'],
    ['http:80:3000 https:443:4000', 'lead to two ports of web'],
  ])('refuse %s and keep what was', async (words, reason) => {
    await run('apps:create blog');
    const ran = await run(`ports:set blog ${words}`);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(await map()).toBe('');
  });
});
