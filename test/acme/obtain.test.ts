import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CaFault } from '../../src/acme/ca-fault.ts';
import { newAccountKey } from '../../src/acme/jose.ts';
import { obtain, type Pending, type Solver, type Task } from '../../src/acme/obtain.ts';
import { Refusal } from '../../src/acme/refusal.ts';
import { readRenewalInfo, renewalId } from '../../src/acme/renewal-info.ts';
import { revoke } from '../../src/acme/revoke.ts';
import { Session } from '../../src/acme/session.ts';
import { createTransport } from '../../src/acme/transport.ts';
import { parseCertificate } from '../../src/domain/certificate.ts';
import type { Clock } from '../../src/system/clock.ts';
import { type FakeCa, startFakeCa } from './support/fake-ca.ts';

const host = 'www.example.org';

describe('getting a certificate from an authority', () => {
  let ca: FakeCa;
  const { signal } = new AbortController();
  const shown = new Map<string, string>();
  const slept: number[] = [];
  let ticks = 0;
  /** Does not wait, but time goes by. */
  const clock: Clock = {
    now: () => new Date(),
    ticks: () => ticks,
    async sleep(ms) {
      slept.push(ms);
      ticks += ms;
    },
  };
  const solver: Solver = {
    type: 'http-01',
    show: async proof => void shown.set(proof.token, proof.keyAuthorization),
    hide: async proof => void shown.delete(proof.token),
  };
  const session = (options: { key?: string; patience?: number; caFile?: string } = {}) =>
    new Session({
      server: ca.directory,
      key: options.key ?? newAccountKey(),
      email: 'ann@example.org',
      transport: createTransport({
        caFile: options.caFile ?? ca.caFile,
        proxies: undefined,
        agent: 'test',
        patience: options.patience ?? 10_000,
      }),
      clock,
    });
  const task = (given: Partial<Task> = {}): Task => ({
    host,
    session: session(),
    solver,
    clock,
    replaces: undefined,
    pending: undefined,
    keep: () => {},
    left: () => {},
    ...given,
  });

  beforeAll(async () => {
    ca = await startFakeCa();
  });
  afterAll(() => ca?.stop());
  beforeEach(() => {
    shown.clear();
    slept.length = 0;
    ca.asked.length = 0;
    Object.assign(ca.says, {
      look: (_host: string, token: string) => shown.get(token),
      lie: () => undefined,
      window: undefined,
    });
  });

  it('gives a chain and a key that fit the host, and leaves no proof behind', async () => {
    const found = parseCertificate(await obtain(task(), signal), new Date());
    expect(found.names).toEqual([host]);
    expect(found.selfSigned).toBe(false);
    expect(shown.size).toBe(0);
    expect(ca.asked.find(({ path }) => path === '/account')?.payload).toEqual({
      termsOfServiceAgreed: true,
      contact: ['mailto:ann@example.org'],
    });
  });

  it('registers once for many certificates, and again where the account was lost', async () => {
    const mine = session();
    await obtain(task({ session: mine }), signal);
    await obtain(task({ session: mine }), signal);
    expect(ca.count('/account')).toBe(1);
    ca.forgetAccounts();
    await obtain(task({ session: mine }), signal);
    expect(ca.count('/account')).toBe(2);
  });

  it('takes another nonce when one is refused, and gives up when all are', async () => {
    let left = 5;
    ca.says.lie = ({ header }) =>
      header.nonce !== undefined && left-- > 0
        ? { status: 400, body: { type: 'urn:ietf:params:acme:error:badNonce' } }
        : undefined;
    await obtain(task(), signal);
    left = Number.POSITIVE_INFINITY;
    await expect(obtain(task(), signal)).rejects.toThrow(/localhost:\d+ refused 10 nonces in a row/);
  });

  it('names the host and what to do when the authority cannot see it', async () => {
    ca.says.look = () => undefined;
    const failed = await obtain(task(), signal).catch(error => error);
    expect(failed).toBeInstanceOf(Refusal);
    expect(failed.message).toBe(
      `No certificate for ${host}: the authority could not connect to it. Make its DNS point to this host and let port 80 through (192.0.2.1: Connection refused)`,
    );
    expect(shown.size).toBe(0);
  });

  it('tells when to come back to one that takes no more', async () => {
    ca.says.lie = ({ path }) =>
      path === '/order'
        ? {
            status: 429,
            body: { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many' },
            headers: { 'retry-after': '3600' },
          }
        : undefined;
    const before = Date.now();
    const failed = await obtain(task(), signal).catch(error => error);
    expect(failed).toMatchObject({ type: 'rateLimited' });
    expect(failed.retryAt.getTime() - before).toBeGreaterThan(3_590_000);
  });

  it('goes on with an order that was begun, with its key, and does not place another', async () => {
    const mine = session();
    let kept: Pending | undefined;
    const stopped = new AbortController();
    ca.says.lie = ({ path }) => {
      if (!path.startsWith('/cert/')) return undefined;
      stopped.abort(new Error('killed'));
      return 'stall';
    };
    const keep = (pending: Pending) => {
      kept = pending;
    };
    await expect(obtain(task({ session: mine, keep }), stopped.signal)).rejects.toThrow('killed');
    ca.says.lie = () => undefined;
    const pem = await obtain(task({ session: mine, pending: kept }), signal);
    expect(ca.asked.filter(({ path }) => path === '/order')).toHaveLength(1);
    expect(pem).toContain(kept?.key);
    expect(parseCertificate(pem, new Date()).names).toEqual([host]);
  });

  it('places another order where the one that was begun is gone', async () => {
    const pending = { order: ca.directory.replace('/dir', '/order/gone'), key: 'k', request: 'r' };
    const pem = await obtain(task({ pending }), signal);
    expect(parseCertificate(pem, new Date()).names).toEqual([host]);
  });

  it('names the certificate that it replaces', async () => {
    await obtain(task({ replaces: 'aki.serial' }), signal);
    expect(ca.asked.find(({ path }) => path === '/order')?.payload).toMatchObject({ replaces: 'aki.serial' });
  });

  it('gives a certificate also when the proof cannot be taken back, and says so', async () => {
    const left: unknown[] = [];
    const stuck = {
      ...solver,
      hide: async () => {
        throw new Error('stuck');
      },
    };
    const pem = await obtain(task({ solver: stuck, left: error => left.push(error) }), signal);
    expect(parseCertificate(pem, new Date()).names).toEqual([host]);
    expect(left).toEqual([new Error('stuck')]);
  });

  it('revokes what it got', async () => {
    const mine = session();
    const { chain } = parseCertificate(await obtain(task({ session: mine }), signal), new Date());
    await revoke(mine, chain, signal);
    expect(ca.says.revoked).toHaveLength(1);
    ca.says.lie = ({ path }) =>
      path === '/revoke'
        ? { status: 400, body: { type: 'urn:ietf:params:acme:error:alreadyRevoked' } }
        : undefined;
    await revoke(mine, chain, signal);
  });

  it('reads when the authority wants a renewal, by the name of RFC 9773 for the certificate', async () => {
    const mine = session();
    const { chain } = parseCertificate(await obtain(task({ session: mine }), signal), new Date());
    expect(await readRenewalInfo(mine, { chain, now: new Date() }, signal)).toBeUndefined();
    ca.says.window = { start: '2026-03-01T00:00:00Z', end: '2026-03-03T00:00:00.5Z' };
    const now = new Date('2026-02-01T00:00:00Z');
    const info = await readRenewalInfo(session(), { chain, now }, signal);
    expect(info?.window.start).toEqual(new Date('2026-03-01T00:00:00Z'));
    expect(info?.again).toEqual(new Date('2026-02-01T06:00:00Z'));
    expect(ca.asked.at(-1)?.path).toBe(`/ari/${renewalId(chain)}`);
  });

  describe('that does not behave', () => {
    const faults: [string, FakeCa['says']['lie'], RegExp][] = [
      [
        'has no directory',
        ({ path }) => (path === '/dir' ? { body: {} } : undefined),
        /has no ACME directory at \/dir/,
      ],
      ['answers in HTML', ({ path }) => (path === '/dir' ? { body: '<html>' } : undefined), /not JSON/],
      [
        'is broken',
        ({ path }) => (path === '/order' ? { status: 500, body: 'oops' } : undefined),
        /answered with status 500/,
      ],
      [
        'gives no nonce',
        ({ path }) => (path === '/nonce' ? { headers: { 'replay-nonce': '' } } : undefined),
        /gave no nonce/,
      ],
      [
        'sends us to plain HTTP',
        ({ path }) => (path === '/dir' ? { body: { ...urls, newNonce: 'http://127.0.0.1/' } } : undefined),
        /is not https/,
      ],
      [
        'tells no place',
        ({ path }) => (path === '/account' ? { status: 201, body: {} } : undefined),
        /did not tell where/,
      ],
      [
        'takes an order for another name',
        ({ path }) =>
          path === '/order'
            ? { status: 201, body: { ...order, identifiers: [{ type: 'dns', value: 'evil.example' }] } }
            : undefined,
        /another name than www\.example\.org/,
      ],
      [
        'gives a token that would be a path',
        ({ path }) =>
          path.startsWith('/authz')
            ? {
                body: {
                  ...proof,
                  challenges: [{ type: 'http-01', url: 'https://localhost/', token: '../../etc' }],
                },
              }
            : undefined,
        /token that cannot be one/,
      ],
      [
        'asks for a proof for another name',
        ({ path }) =>
          path.startsWith('/authz')
            ? { body: { ...proof, identifier: { value: 'evil.example' } } }
            : undefined,
        /proof for another name/,
      ],
      [
        'never comes to an end',
        ({ path }, placed) =>
          path.startsWith('/order/') && placed?.status === 'valid'
            ? { body: { ...order, status: 'processing' } }
            : undefined,
        /did not come to an end with www\.example\.org in 120 seconds/,
      ],
      [
        'says too much',
        ({ path }) => (path.startsWith('/cert') ? { body: 'x'.repeat(300_000) } : undefined),
        /the answer is too long/,
      ],
    ];
    const urls = {
      newNonce: 'https://localhost/',
      newAccount: 'https://localhost/',
      newOrder: 'https://localhost/',
      revokeCert: 'https://localhost/',
    };
    const order = {
      status: 'pending',
      identifiers: [{ type: 'dns', value: host }],
      authorizations: [],
      finalize: 'https://localhost/',
    };
    const proof = { status: 'pending', identifier: { value: host }, challenges: [] };

    it.each(faults)('and %s is named', async (_what, lie, words) => {
      ca.says.lie = lie;
      const failed = await obtain(task(), signal).catch(error => error);
      expect(failed).toBeInstanceOf(CaFault);
      expect(failed.message).toMatch(words);
    });

    it('and stalls is not waited for longer than was set', async () => {
      ca.says.lie = ({ path }) => (path === '/order' ? 'stall' : undefined);
      await expect(obtain(task({ session: session({ patience: 300 }) }), signal)).rejects.toThrow(
        /localhost:\d+ gave no answer in 0\.3 seconds/,
      );
    });

    it('and is not trusted is told nothing', async () => {
      const other = await startFakeCa();
      try {
        await expect(obtain(task({ session: session({ caFile: other.caFile }) }), signal)).rejects.toThrow(
          /shows a certificate that is not trusted/,
        );
        expect(ca.asked).toEqual([]);
        expect(readFileSync(other.caFile, 'utf8')).toContain('CERTIFICATE');
      } finally {
        await other.stop();
      }
    });

    it('and gives a certificate of another key is found out', async () => {
      const other = parseCertificate(await obtain(task(), signal), new Date());
      ca.says.lie = ({ path }) => (path.startsWith('/cert') ? { body: other.chain } : undefined);
      const pem = await obtain(task(), signal);
      expect(() => parseCertificate(pem, new Date())).toThrow(/does not belong/);
    });
  });
});
