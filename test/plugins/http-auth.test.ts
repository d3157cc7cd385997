import { beforeEach, describe, expect, it } from 'vitest';
import { readAnswers } from '../../src/domain/error-page.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { isPassword } from '../../src/domain/password-hash.ts';
import { type Bench, createBench } from '../commands/support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.services.plugins.open();
  await bench.run('apps:create', 'blog');
});

const run = (line: string, stdin?: string) =>
  bench.runWith({ words: line.split(' '), ...(stdin === undefined ? {} : { stdin }) });
const report = async () => JSON.parse((await run('http-auth:report blog --format json')).stdout);
const told = () => {
  const { id } = bench.store.apps.get(parseAppName('blog'));
  return readAnswers(key => bench.store.properties.get(`app:${id}`, key)).auth;
};

describe('http-auth', () => {
  it('is turned on with a user, and off again, and keeps its users', async () => {
    const before = bench.published();
    expect((await run('http-auth:enable blog ann', 'secret\n')).code).toBe(0);
    expect(bench.published()).toBe(before + 1);
    expect(await isPassword('secret', told()?.users['ann'] ?? '')).toBe(true);
    expect(await report()).toEqual({ enabled: 'true', users: 'ann', 'allowed-ips': '' });
    await run('http-auth:disable blog');
    expect(told()).toBeUndefined();
    expect(await report()).toMatchObject({ enabled: 'false', users: 'ann' });
  });

  it('shows no password and no hash, nor logs or tells them', async () => {
    const ran = await run('http-auth:add-user blog ann', 'hunter22\n');
    const events = JSON.stringify(bench.store.events.list({ app: parseAppName('blog'), limit: 10 }));
    const all =
      ran.stdout + ran.stderr + JSON.stringify(await report()) + events + JSON.stringify(bench.logged);
    expect(all).not.toMatch(/hunter22|scrypt/);
  });

  it('warns of passwords that travel in clear', async () => {
    const clear = 'where others can read passwords';
    expect((await run('http-auth:enable blog ann', 'secret\n')).stderr).toContain(clear);
    expect((await run('http-auth:disable blog')).stderr).not.toContain(clear);
    await run('certs:generate blog blog.example.org');
    expect((await run('http-auth:enable blog')).stderr).not.toContain(clear);
  });

  it('warns that nobody gets in without users', async () => {
    expect((await run('http-auth:enable blog')).stderr).toContain('has no user yet');
    expect(told()).toEqual({ users: {} });
  });

  it('gives and takes users and addresses', async () => {
    await run('http-auth:enable blog ann', 'one\n');
    await run('http-auth:add-user blog bob', 'two\n');
    await run('http-auth:add-allowed-ip blog 192.0.2.7 10.0.0.0/8');
    expect(await report()).toEqual({
      enabled: 'true',
      users: 'ann bob',
      'allowed-ips': '192.0.2.7 10.0.0.0/8',
    });
    await run('http-auth:remove-user blog ann');
    await run('http-auth:remove-allowed-ip blog 192.0.2.7');
    expect(await report()).toEqual({ enabled: 'true', users: 'bob', 'allowed-ips': '10.0.0.0/8' });
    expect(Object.keys(told()?.users ?? {})).toEqual(['bob']);
  });

  it.each([
    ['http-auth:add-user blog ann', 'No password came on standard input'],
    ['http-auth:add-user blog ann secret', 'A password is not taken as a word'],
    ['http-auth:enable blog ann secret', 'A password is not taken as a word'],
    ['http-auth:add-user blog a:b', 'The user is not valid'],
    ['http-auth:remove-user blog bob', 'has no user of that name'],
    ['http-auth:add-allowed-ip blog 10.0.0.0/99', 'is no address or range of visitors'],
    ['http-auth:add-allowed-ip blog 10.0.0.1,10.0.0.2', 'as a word of its own'],
    ['http-auth:remove-allowed-ip blog 10.0.0.1', 'are asked already'],
  ])('refuses %s', async (line, reason) => {
    const ran = await run(line);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(ran.stderr).not.toContain('secret');
    expect(await report()).toEqual({ enabled: 'false', users: '', 'allowed-ips': '' });
  });
});
