import { beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { createAuthority } from '../support/certificates.ts';
import { type Bench, createBench } from './support.ts';

const authority = createAuthority();
const first = authority.issue(['blog.example.org', 'www.blog.test']);
const second = authority.issue(['blog.example.org', 'www.blog.test', 'more.test']);
let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});
const app = () => bench.store.apps.get(parseAppName('blog'));
const run = (line: string, stdin = '') => bench.runWith({ words: line.split(' '), stdin });

describe('certs:add', () => {
  it('takes PEM from standard input, keeps the key sealed, and reports what it is for', async () => {
    const ran = await run('certs:add blog', first.pem);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stdout).toContain('Set the certificate for blog.example.org, www.blog.test');
    const { stdout } = await run('certs:report blog --format json');
    expect(JSON.parse(stdout)).toMatchObject({
      enabled: 'true',
      hostnames: 'blog.example.org www.blog.test',
      covered: 'blog.example.org',
      'not-covered': '',
      source: 'given',
      verified: 'true',
    });
    expect((await run('certs:show blog key')).stdout).toBe(first.key);
    expect((await run('certs:show blog crt')).stdout).toBe(first.chain);
    expect((await run('urls blog')).stdout).toContain('https://blog.example.org:8443');
    expect(JSON.stringify(bench.store.certificates.all())).not.toContain('PRIVATE KEY');
  });

  it('replaces the one that is for nothing else, and keeps others', async () => {
    await run('certs:add blog', first.pem);
    await run('certs:add blog', authority.issue(['other.test']).pem);
    await run('certs:add blog', second.pem);
    const names = bench.store.certificates.list(app()).map(each => each.names.length);
    expect(names).toEqual([1, 3]);
  });

  it('warns of domains that it is not for', async () => {
    const ran = await run('certs:add blog', authority.issue(['other.test']).pem);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('It is not for blog.example.org');
  });

  it.each([
    ['', 'Nothing came on standard input'],
    ['rubbish', 'There is no certificate in it'],
    [first.chain, 'There is no private key in it'],
  ])('refuses %j and stores nothing', async (stdin, reason) => {
    const ran = await run('certs:add blog', stdin);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(bench.store.certificates.all()).toEqual([]);
  });

  it('reads files for the shell of the server alone, by absolute paths', async () => {
    const actor = { name: 'ann', via: 'ssh' } as const;
    const far = await bench.runWith({ words: ['certs:add', 'blog', '/etc/shadow', '/etc/shadow'], actor });
    expect(far.stderr).toContain('for its own shell alone');
    expect((await run('certs:add blog crt key')).stderr).toContain('is not an absolute path');
    expect((await run('certs:add blog /nonexistent/crt /nonexistent/key')).stderr).toContain(
      'cannot be read',
    );
  });

  it('takes one for all apps', async () => {
    await run('certs:add --global', authority.issue(['*.example.org']).pem);
    expect((await run('urls blog')).stdout).toContain('https://blog.example.org:8443');
    expect((await run('certs:remove --global')).code).toBe(0);
    expect((await run('urls blog')).stdout).toContain('http://blog.example.org:8080');
  });
});

describe('certs:update, generate, remove and show', () => {
  it('updates only what is there', async () => {
    expect((await run('certs:update blog', first.pem)).stderr).toContain('to replace');
    await run('certs:add blog', first.pem);
    expect((await run('certs:update blog', second.pem)).code).toBe(0);
    expect(bench.store.certificates.list(app())).toHaveLength(1);
  });

  it('makes one that signed itself', async () => {
    expect((await run('certs:generate blog blog.example.org')).code).toBe(0);
    const { stdout } = await run('certs:report blog --format json');
    expect(JSON.parse(stdout)).toMatchObject({ source: 'self-signed', verified: 'false' });
  });

  it('removes all, or the one for a domain; and says when there is none', async () => {
    await run('certs:add blog', first.pem);
    await run('certs:add blog', authority.issue(['other.test']).pem);
    expect((await run('certs:remove blog nobody.test')).stderr).toContain(
      'App blog has no certificate for nobody.test',
    );
    await run('certs:remove blog other.test');
    expect(bench.store.certificates.list(app())).toHaveLength(1);
    await run('certs:remove blog');
    expect((await run('certs:show blog crt')).stderr).toContain('App blog has no certificate');
  });

  it('goes with its app', async () => {
    await run('certs:add blog', first.pem);
    await run('apps:destroy blog --force');
    expect(bench.store.certificates.all()).toEqual([]);
  });
});
