import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Certifier } from '../../src/acme/certifier.ts';
import { Challenges } from '../../src/acme/challenges.ts';
import { createTransport } from '../../src/acme/transport.ts';
import type { App } from '../../src/domain/app.ts';
import { parseCertificate } from '../../src/domain/certificate.ts';
import { parseAppName, parseDomain } from '../../src/domain/names.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import type { Clock } from '../../src/system/clock.ts';
import { silentLog } from '../../src/system/log.ts';
import { createAuthority } from '../support/certificates.ts';
import { type FakeCa, startFakeCa } from './support/fake-ca.ts';

const hour = 3_600_000;
const day = 24 * hour;

describe('certificates that an app gets by itself', () => {
  let ca: FakeCa;
  let store: Store;
  let app: App;
  let certifier: Certifier;
  let later: number;
  const clock: Clock = {
    now: () => new Date(Date.now() + later),
    ticks: () => later,
    async sleep(ms) {
      later += ms;
    },
  };
  const start = () => {
    const challenges = new Challenges(async () => {});
    ca.says.look = (_host, token) => challenges.answers()[token];
    return new Certifier({
      ...{ store, clock, log: silentLog, solvers: challenges.solvers },
      transport: createTransport({ caFile: ca.caFile, proxies: undefined, agent: 'test' }),
      applyRoutes: async () => {},
    });
  };
  const add = (...hosts: string[]) => {
    for (const host of hosts) store.domains.add(app, parseDomain(host));
  };
  const names = () => store.certificates.list(app).map(each => each.names.join());
  const orders = () => ca.asked.filter(({ path }) => path === '/order').length;
  const events = () => store.events.list({ limit: 100 }).map(({ kind, message }) => `${kind}: ${message}`);
  const refuse = (host: string, type: string, headers?: Record<string, string>) => {
    ca.says.lie = ({ path, payload }) =>
      path === '/order' && JSON.stringify(payload).includes(host)
        ? {
            status: 429,
            body: { type: `urn:ietf:params:acme:error:${type}`, detail: 'no' },
            headers: headers ?? {},
          }
        : undefined;
  };

  beforeAll(async () => {
    ca = await startFakeCa();
  });
  afterAll(() => ca?.stop());
  beforeEach(() => {
    later = 0;
    ca.asked.length = 0;
    Object.assign(ca.says, { days: 30, lie: () => undefined, window: undefined, revoked: [] });
    store = openStore(':memory:', createSeal(randomBytes(32)));
    app = store.apps.create(parseAppName('blog'), new Date());
    store.properties.set('global', 'letsencrypt-server', ca.directory);
    store.properties.set(`app:${app.id}`, 'letsencrypt-enabled', 'true');
    certifier = start();
  });

  it('are one for each domain, also for one that is added later', async () => {
    add('a.example.org', 'b.example.org');
    await certifier.tick();
    expect(names()).toEqual(['a.example.org', 'b.example.org']);
    expect(store.certificates.list(app).map(({ source }) => source)).toEqual(['acme', 'acme']);
    add('c.example.org');
    await certifier.tick();
    expect(names()).toEqual(['a.example.org', 'b.example.org', 'c.example.org']);
    expect(orders()).toBe(3);
    await certifier.tick();
    expect(orders()).toBe(3);
    expect(events()).toContainEqual(
      expect.stringMatching(/^certificate: Got a certificate for a\.example\.org, good until 20/),
    );
  });

  it('are not got for an app that did not ask for them', async () => {
    add('a.example.org');
    store.properties.set(`app:${app.id}`, 'letsencrypt-enabled', undefined);
    await certifier.tick();
    expect(ca.asked).toEqual([]);
  });

  it('are renewed after two thirds of their life, each in the place of the old one, with a new key', async () => {
    add('a.example.org');
    await certifier.tick();
    const [old] = store.certificates.list(app);
    later = 18 * day;
    await certifier.tick();
    expect(orders()).toBe(1);
    later = 20.1 * day;
    ca.says.days = 60;
    await certifier.tick();
    expect(orders()).toBe(2);
    const all = store.certificates.list(app);
    expect(all).toHaveLength(1);
    expect(all[0]?.id).not.toBe(old?.id);
    expect(store.certificates.key(all[0]?.id ?? '')).not.toBe(undefined);
  });

  it('are renewed when their authority says so, which is told what is replaced', async () => {
    ca.says.window = {
      start: new Date(Date.now() + 2 * day).toISOString(),
      end: new Date(Date.now() + 3 * day).toISOString(),
    };
    add('a.example.org');
    await certifier.tick();
    later = day;
    await certifier.tick();
    expect(orders()).toBe(1);
    later = 3.1 * day;
    await certifier.tick();
    expect(orders()).toBe(2);
    const replaces = ca.asked
      .filter(({ path }) => path === '/order')
      .map(({ payload }) => payload['replaces']);
    expect(replaces).toEqual([undefined, expect.stringMatching(/^[\w-]+\.[\w-]+$/)]);
  });

  it('stay in use when the renewal fails, which is tried again later and later, and told with an alarm', async () => {
    add('a.example.org');
    await certifier.tick();
    const before = store.certificates.list(app);
    ca.says.look = () => undefined;
    later = 21 * day;
    for (const _ of [1, 2, 3]) await certifier.tick();
    expect(orders()).toBe(2);
    const [status] = certifier.status(app);
    expect(status?.error).toMatch(
      /^No certificate for a\.example\.org: the authority could not connect to it/,
    );
    later += 20 * 60_000;
    await certifier.tick();
    expect(orders()).toBe(3);
    later += 20 * 60_000;
    await certifier.tick();
    expect(orders()).toBe(3);
    later = 26 * day;
    await certifier.tick();
    await certifier.tick();
    expect(events().filter(line => line.startsWith('certificate-expires'))).toEqual([
      expect.stringMatching(/^certificate-expires: The certificate for a\.example\.org expires on /),
    ]);
    expect(store.certificates.list(app)).toEqual(before);
  });

  it('do not wait for a host that fails', async () => {
    add('bad.example.org', 'good.example.org');
    refuse('bad.example.org', 'rejectedIdentifier');
    await certifier.tick();
    expect(names()).toEqual(['good.example.org']);
    expect(events()).toContainEqual(
      expect.stringMatching(
        /^certificate-failed: No certificate for bad\.example\.org: the authority gives no certificate for this name \(no\)\. It is tried again after 20/,
      ),
    );
  });

  it('are not asked for again before the time that an authority names which takes no more', async () => {
    add('a.example.org', 'b.example.org');
    refuse('a.example.org', 'rateLimited', { 'retry-after': String(2 * 3600) });
    await certifier.tick();
    // The other host is not tried either: the limit may be the account's.
    expect(orders()).toBe(1);
    ca.says.lie = () => undefined;
    later = 1.9 * hour;
    await certifier.tick();
    expect(orders()).toBe(1);
    later = 2.5 * hour;
    await certifier.tick();
    expect(names()).toEqual(['a.example.org', 'b.example.org']);
  });

  it.each([{}, { 'retry-after': '600' }])(
    'are left alone while the authority is broken, which is no fault of the host: %o',
    async (headers: Record<string, string>) => {
      add('a.example.org', 'b.example.org');
      ca.says.lie = () => ({ status: 503, body: 'down', headers });
      await certifier.tick();
      expect(ca.asked).toHaveLength(1);
      const [status] = certifier.status(app);
      expect(status?.error).toMatch(
        /^No certificate for a\.example\.org: localhost:\d+ answered with status 503/,
      );
      ca.says.lie = () => undefined;
      later = 20 * 60_000;
      await certifier.tick();
      expect(names()).toEqual(['a.example.org', 'b.example.org']);
    },
  );

  it('are ordered once for all who ask at the same time', async () => {
    add('a.example.org');
    const outcomes = await Promise.all([
      certifier.renew(app, { all: true }),
      certifier.renew(app, { all: true }),
      certifier.tick(),
    ]);
    expect(orders()).toBe(1);
    expect(outcomes[0]).toEqual(outcomes[1]);
  });

  it('are fetched by the next daemon where one was killed before, without another order', async () => {
    add('a.example.org');
    let reached: () => void = () => {};
    const there = new Promise<void>(resolve => {
      reached = resolve;
    });
    ca.says.lie = ({ path }) => {
      if (!path.startsWith('/cert/')) return undefined;
      reached();
      return 'stall';
    };
    const running = certifier.tick().catch(() => {});
    await there;
    await certifier.close();
    await running;
    expect(names()).toEqual([]);
    ca.says.lie = () => undefined;
    certifier = start();
    await certifier.tick();
    expect(names()).toEqual(['a.example.org']);
    expect(orders()).toBe(1);
    expect(ca.count('/account')).toBe(2);
  });

  it('are not taken from an authority that issues for another key', async () => {
    add('a.example.org');
    ca.says.lie = ({ path }) =>
      path.startsWith('/cert') ? { body: createAuthority().issue(['a.example.org']).chain } : undefined;
    await certifier.tick();
    expect(names()).toEqual([]);
    expect(certifier.status(app)[0]?.error).toMatch(
      /^What was issued for a\.example\.org cannot be used: The key does not belong/,
    );
  });

  it('do not come back for an app that wants none any more when they arrive', async () => {
    add('a.example.org');
    ca.says.lie = ({ path }) => {
      if (path.startsWith('/cert')) store.properties.set(`app:${app.id}`, 'letsencrypt-enabled', undefined);
      return undefined;
    };
    await certifier.tick();
    expect(names()).toEqual([]);
  });

  it('do not take the place of one that was given, nor are they got for wildcards without a DNS hook', async () => {
    add('a.example.org', '*.example.org', 'b.example.org');
    const given = parseCertificate(createAuthority().issue(['a.example.org']).pem, new Date());
    store.certificates.put(app, given, { source: 'given', at: new Date() });
    expect(await certifier.renew(app, { all: true })).toMatchObject([
      { host: 'a.example.org', outcome: 'skipped', reason: expect.stringContaining('was given') },
      { host: '*.example.org', outcome: 'skipped', reason: expect.stringContaining('needs a DNS hook') },
      { host: 'b.example.org', outcome: 'issued' },
    ]);
  });

  it('are revoked by the account that got them, also when another server was set since', async () => {
    add('a.example.org');
    await certifier.tick();
    store.properties.set('global', 'letsencrypt-server', 'https://localhost:1/dir');
    expect(await certifier.revoke(app)).toEqual(['a.example.org']);
    expect(ca.says.revoked).toHaveLength(1);
    expect(store.certificates.list(app)).toEqual([]);
  });

  it('go with the domain that they were for', async () => {
    add('a.example.org', 'b.example.org');
    await certifier.tick();
    store.domains.remove(app, parseDomain('a.example.org'));
    expect(await certifier.forget(app, { stale: true })).toEqual(['a.example.org']);
    expect(names()).toEqual(['b.example.org']);
    expect(await certifier.forget(app)).toEqual(['b.example.org']);
    expect(store.acme.list(app)).toEqual([]);
  });

  it('keep no key readable in the database', async () => {
    add('a.example.org');
    let kept: string | undefined;
    ca.says.lie = ({ path }) => {
      if (path.startsWith('/finalize')) kept = store.acme.order(app, 'a.example.org');
      return undefined;
    };
    await certifier.tick();
    expect(kept).toContain('PRIVATE KEY');
    expect(JSON.stringify([store.acme.list(app), store.certificates.all()])).not.toContain('PRIVATE');
    expect(store.acme.order(app, 'a.example.org')).toBeUndefined();
  });
});
