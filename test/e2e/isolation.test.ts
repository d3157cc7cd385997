import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPaths } from '../../src/system/paths.ts';
import { probe } from '../support/apps.ts';
import { run } from '../support/run.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('the platform', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
  });
  afterAll(() => wherry?.stop());

  it.each(['wherry-edge', 'wherry-git'])('keeps its database, keys and folders from %s', async user => {
    const as = async (...argv: string[]) =>
      (await run('setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--', ...argv])).code;
    const { database, secretKey, engine, builds } = createPaths({ data: wherry.data });
    for (const path of [database, secretKey, engine, builds]) expect(existsSync(path), path).toBe(true);
    for (const file of [database, secretKey]) expect(await as('head', '-c1', file), file).not.toBe(0);
    for (const folder of [engine, builds, wherry.data]) expect(await as('ls', folder), folder).not.toBe(0);
    expect(await as('test', '-w', wherry.data)).not.toBe(0);
    expect(await as('true')).toBe(0);
  });
});

describe('an instance', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    for (const app of ['one', 'two']) {
      const pushed = await (await wherry.repository(app, { from: probe })).push();
      expect(pushed.code, pushed.output).toBe(0);
    }
  });
  afterAll(() => wherry?.stop());

  const inside = async (path: string) => (await wherry.get('one', path)).text;
  const status = async (field: string) =>
    new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(await inside('/status'))?.[1] ?? '';
  const connects = (host: string, port: number) => inside(`/connect?host=${host}&port=${port}`);
  const address = async (app: string) => {
    const text = (await wherry.get(app, '/read?path=/proc/net/fib_trie')).text;
    return /32 host LOCAL[\s\S]*$/.test(text)
      ? ([...text.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\s+\/32 host LOCAL/g)]
          .map(match => match[1] ?? '')
          .find(found => !found.startsWith('127.')) ?? '')
      : '';
  };

  it('is not root, cannot become it, and has no capabilities', async () => {
    expect(JSON.parse(await inside('/whoami')).uid).toBeGreaterThan(0);
    expect(await status('NoNewPrivs')).toBe('1');
    expect(await status('CapEff')).toMatch(/^0+$/);
    expect(await status('CapBnd')).toMatch(/^0+$/);
    expect(await status('Seccomp')).toBe('2');
  });

  it('cannot write to the system or read what is masked', async () => {
    expect(await inside('/write?path=/etc/passwd')).toMatch(/EACCES|EROFS|EPERM/);
    expect(await inside('/write?path=/proc/sys/kernel/panic')).toMatch(/EACCES|EROFS|EPERM/);
    expect(await inside('/write?path=/tmp/mine')).toBe('done');
    expect(await inside('/read?path=/proc/kcore')).not.toMatch(/ELF/);
    expect(await inside('/exists?path=/run/docker.sock')).toBe('false');
    expect(await inside(`/exists?path=${wherry.data}`)).toBe('false');
  });

  it('has a host name and a PORT of its own', async () => {
    const { dyno, hostname } = JSON.parse(await inside('/whoami'));
    expect(dyno).toBe('web.1');
    expect(hostname).not.toBe((await import('node:os')).hostname());
    expect(await inside('/env?key=PORT')).toMatch(/^\d+$/);
  });

  it('reaches neither another instance nor a cloud metadata address', async () => {
    const [mine, other] = await Promise.all([address('one'), address('two')]);
    expect(other).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(other).not.toBe(mine);
    const port = Number((await wherry.get('two', '/env?key=PORT')).text);
    expect(await connects(mine, port)).toBe('connected');
    expect(await connects(other, port)).not.toBe('connected');
    expect(await connects('169.254.169.254', 80)).not.toBe('connected');
  });

  it("does not reach the host's own services, Wherry's among them", async () => {
    const server = createServer((_request, response) => response.end('host')).listen(0, '0.0.0.0');
    const bound = server.address();
    const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
    // Bridges of others that are tested beside this one may go at any moment.
    const own = `wherry${createPaths({ data: wherry.data }).tag}`;
    const hosts = Object.entries(networkInterfaces())
      .flatMap(([name, list]) => (name.startsWith('wherry') && name !== own ? [] : (list ?? [])))
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    expect(hosts.length).toBeGreaterThan(0);
    for (const host of hosts) expect(await connects(host.address, port), host.address).not.toBe('connected');
    server.close();
  });

  it('may have at most so many processes', async () => {
    const max = await inside('/read?path=/sys/fs/cgroup/pids.max');
    const v1 = await inside('/read?path=/sys/fs/cgroup/pids/pids.max');
    if (/^\d+/.test(max) || /^\d+/.test(v1))
      expect(Number.parseInt(/^\d+/.test(max) ? max : v1, 10)).toBeLessThanOrEqual(512);
    expect((await wherry.ssh('ps:report', 'one')).code).toBe(0);
  });
});
