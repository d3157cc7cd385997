import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistryHost, type RegistryHost } from '../build/support/registry-host.ts';
import { freePorts } from '../support/ports.ts';
import { type Bench, createBench } from './support.ts';

// Against a registry of the tests' own on loopback.

let bench: Bench;
let host: RegistryHost;
const ann = { user: 'ann', password: 'pass:word' };

async function begin(options: Parameters<typeof openRegistryHost>[0] = {}): Promise<void> {
  await host?.close();
  host = await openRegistryHost(options);
  bench = createBench({ allowHosts: host.host });
  await bench.run('apps:create', 'blog');
}
beforeEach(async () => await begin({ login: { ...ann, by: 'bearer' } }));
afterEach(async () => await host.close());

const login = async (whose: string, server: string, stdin: string, user = 'ann') =>
  await bench.runWith({ words: ['registry:login', whose, server, user], stdin });
const find = (server: string) => {
  const blog = bench.services.store.apps.list()[0];
  return bench.store.credentials.find('registry', blog, server);
};

describe('registry:login', () => {
  it.each(['bearer', 'basic'] as const)('shows the password to a registry by %s and keeps it', async by => {
    await begin({ login: { ...ann, by } });
    const ran = await login('blog', host.host, 'pass:word\n');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(find(host.host)).toEqual(ann);
    const shown = JSON.stringify([ran, bench.logged, bench.store.events.list({ limit: 99 })]);
    expect(shown).toContain(`Logged in to ${host.host} as ann`);
    expect(shown).not.toContain('pass:word');
  });

  it.each(['bearer', 'basic'] as const)('keeps nothing that the registry refuses by %s', async by => {
    await begin({ login: { ...ann, by } });
    const ran = await login('--global', host.host, 'wrong\n');
    expect(ran.code).toBe(21);
    expect(ran.stderr).toContain('does not let ann in: the name or the password is wrong');
    expect(find(host.host)).toBeUndefined();
  });

  it('says when a registry cannot tell, and keeps the password', async () => {
    const away = `127.0.0.1:${(await freePorts(1))[0]}`;
    bench = createBench({ allowHosts: away });
    await bench.run('apps:create', 'blog');
    const ran = await login('--global', away, 'secret');
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/cannot be reached.*kept unchecked: the first pull/);
    expect(find(away)).toEqual({ user: 'ann', password: 'secret' });
    await begin();
    host.mischief.status = 503;
    expect((await login('blog', host.host, 'secret')).stderr).toContain('it answers with status 503');
    delete host.mischief.status;
    expect((await login('blog', host.host, 'secret')).stderr).toContain('lets everybody in');
  });

  it('shows a password to no host inside the network, and keeps none for it', async () => {
    bench = createBench();
    await bench.run('apps:create', 'blog');
    const ran = await login('blog', host.host, 'pass:word');
    expect(ran.code).toBe(21);
    expect(ran.stderr).toContain('WHERRY_ALLOW_HOSTS');
    expect(host.requests).toEqual([]);
    expect(find(host.host)).toBeUndefined();
  });

  it.each([
    ['a password as a word', ['blog', 'x.org', 'ann', 'hunter2'], '', /not taken as a word/, 2],
    ['no password', ['blog', 'x.org', 'ann'], '\n', /No password came/, 2],
    ['a password of two kinds of lines', ['blog', 'x.org', 'ann'], 'a\tb\n', /control character/, 1],
    ['a user with a colon', ['blog', 'x.org', 'an:n'], 'x', /no ":" and no blanks/, 1],
    ['no host', ['blog', 'x.org/team', 'ann'], 'x', /names no host of a registry/, 1],
    ['no such app', ['none', 'x.org', 'ann'], 'x', /App none does not exist/, 20],
    ['too much', ['blog', 'x.org', 'ann'], 'x'.repeat(17_000), /More than 16384 bytes/, 1],
  ])('refuses %s', async (_, words, stdin, message, code) => {
    const ran = await bench.runWith({ words: ['registry:login', ...words], stdin });
    expect(ran.stderr).toMatch(message);
    expect(ran.code).toBe(code);
    expect(JSON.stringify([ran, bench.logged])).not.toContain('hunter2');
    expect(find('x.org')).toBeUndefined();
  });
});

it('registry:report tells whose login counts, registry:logout ends one', async () => {
  await begin();
  await login('--global', host.host, 'one');
  await login('blog', host.host, 'two', 'bob');
  const value = async (key: string) =>
    (await bench.run('registry:report', 'blog', `--registry-${key}`)).stdout;
  expect(await value('logins')).toBe(`bob@${host.host}\n`);
  expect(await value('global-logins')).toBe(`ann@${host.host}\n`);
  expect(await value('computed-logins')).toBe(`bob@${host.host}\n`);
  expect((await bench.run('registry:logout', 'blog', host.host)).code).toBe(0);
  expect(await value('computed-logins')).toBe(`ann@${host.host}\n`);
  const again = await bench.run('registry:logout', 'blog', host.host);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('App blog is not logged in');
  expect((await bench.run('registry:logout', '--global', host.host)).code).toBe(0);
  expect(find(host.host)).toBeUndefined();
});

it('apps:destroy forgets the logins of the app, and no others', async () => {
  await begin();
  await login('--global', host.host, 'one');
  await login('blog', host.host, 'two', 'bob');
  await bench.run('apps:destroy', '--force', 'blog');
  await bench.run('apps:create', 'blog');
  expect(find(host.host)).toEqual({ user: 'ann', password: 'one' });
});
