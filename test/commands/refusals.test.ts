import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRefusals, type Refusals } from '../../src/commands/refusals.ts';
import type { Actor } from '../../src/domain/push.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { type Bench, createBench } from './support.ts';

let store: Store;
let now: number;
let writes: number;
let refusals: Refusals;
beforeEach(() => {
  store = openStore(':memory:', createSeal(randomBytes(32)));
  [now, writes] = [1_000_000, 0];
  const counted: Store['refusals'] = {
    ...store.refusals,
    add(refusal) {
      writes += 1;
      store.refusals.add(refusal);
    },
  };
  refusals = createRefusals({ store: { refusals: counted }, clock: { now: () => new Date(now) } });
});
const login = (address: string, credential = 'SHA256:a') =>
  refusals.login({ via: 'ssh', address, credential });

describe('logins that are refused', () => {
  it('are one row an address and hour, with how often, written ever more seldom', () => {
    for (let time = 0; time < 1000; time += 1) login('192.0.2.1', `SHA256:${time}`);
    expect(store.refusals.list()).toMatchObject([
      {
        address: '192.0.2.1',
        credential: 'SHA256:0',
        command: 'login',
        result: 'unauthenticated',
        times: 512,
      },
    ]);
    expect(writes).toBe(10);
    now += 3_600_000;
    login('192.0.2.1');
    expect(store.refusals.list().map(({ times }) => times)).toEqual([512, 1]);
  });

  it('of many addresses are one row beyond what fits in a minute, and begin anew in the next', () => {
    for (let at = 0; at < 5000; at += 1) login(`10.0.${at >> 8}.${at & 255}`);
    const listed = store.refusals.list();
    expect(listed).toHaveLength(61);
    expect(listed.find(({ address }) => address === '')?.times).toBeGreaterThan(2000);
    now += 60_000;
    login('198.51.100.1');
    expect(store.refusals.list().at(-1)).toMatchObject({ address: '198.51.100.1', times: 1 });
  });

  it('of one network of IPv6 are one', () => {
    login('2001:db8::1');
    login('2001:db8::2');
    expect(store.refusals.list()).toMatchObject([{ address: '2001:db8:0:0::/64', times: 2 }]);
  });

  it('are kept up to a bound, the newest, and push out nothing that was done', () => {
    const done = { at: new Date(0), user: 'ann', via: 'ssh', credential: null, address: null, other: null };
    store.audit.add({ ...done, command: 'apps:create', app: 'blog', args: '', result: 'ok' });
    for (let minute = 0; minute < 50; minute += 1) {
      now += 60_000;
      for (let at = 0; at < 60; at += 1) login(`10.0.${minute}.${at}`);
    }
    const listed = store.refusals.list();
    expect(listed).toHaveLength(2000);
    expect(listed.at(-1)?.address).toBe('10.0.49.59');
    expect(store.audit.list()).toHaveLength(1);
  });
});

describe('the audit', () => {
  let bench: Bench;
  const ann: Actor = { name: 'ann', via: 'ssh', fingerprint: 'SHA256:ann', address: '192.0.2.7' };
  beforeEach(() => {
    bench = createBench();
    bench.store.people.ensure('bob', new Date());
    bench.store.people.grant('bob', 'admin');
    bench.store.keys.add({
      ...{ name: 'ann', fingerprint: 'SHA256:ann', publicKey: 'x', createdAt: new Date() },
    });
  });
  const audit = async (...words: string[]) =>
    JSON.parse((await bench.runWith({ words: ['audit', ...words, '--format', 'json'], actor: ann })).stdout);

  it('shows an owner who was refused, among what was done', async () => {
    await bench.run('apps:create', 'blog');
    bench.services.refusals.login({ via: 'api', address: '192.0.2.9', user: 'bob', credential: 'ci' });
    bench.services.refusals.login({ via: 'ssh', address: '192.0.2.9', credential: 'SHA256:x' });
    bench.services.refusals.login({ via: 'ssh', address: '192.0.2.9', credential: 'SHA256:x' });
    const { stdout } = await bench.run('audit');
    expect(stdout).toContain('- login: unauthenticated (api: bob ci 192.0.2.9)\n');
    expect(stdout).toContain('- login: unauthenticated, 2 times (ssh: SHA256:x 192.0.2.9)\n');
    expect((await bench.run('audit', 'blog')).stdout).not.toContain('login');
    const bob = await bench.runWith({ words: ['audit'], actor: { name: 'bob', via: 'ssh' } });
    expect(bob.stdout).toContain('apps:create');
    expect(bob.stdout).not.toContain('login');
  });

  it('shows words that nobody understood, by the command that was meant, and none of the words', async () => {
    await bench.runWith({ words: ['hunter2'], actor: ann });
    await bench.runWith({ words: ['config:set', 'blog', 'bad key=hunter2'], actor: ann });
    await bench.runWith({ words: ['--quiet', 'ps:scale', '--hunter2'], actor: ann });
    await bench
      .callJson({
        ...{ command: bench.registry.find('ps:scale'), body: { hunter2: 1 }, force: false, actor: ann },
        ...{ stdin: undefined as never, signal: new AbortController().signal, client: undefined as never },
      })
      .catch(() => {});
    await bench.run('no-such-command');
    const entries = await audit();
    expect(JSON.stringify(entries)).not.toContain('hunter2');
    expect(
      entries.map(({ command, result, times }: Record<string, unknown>) => [command, result, times]),
    ).toEqual([
      ['unknown', 'unknown-command', 1],
      ['config:set', 'invalid', 1],
      ['ps:scale', 'usage', 2],
    ]);
    expect(entries[0]).toMatchObject({
      user: 'ann',
      credential: 'SHA256:ann',
      address: '192.0.2.7',
      app: null,
    });
  });
});
