import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAccountKey } from '../../src/acme/jose.ts';
import { obtain, type Solver } from '../../src/acme/obtain.ts';
import { revoke } from '../../src/acme/revoke.ts';
import { Session } from '../../src/acme/session.ts';
import { createTransport } from '../../src/acme/transport.ts';
import { parseCertificate } from '../../src/domain/certificate.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { type Pebble, startPebble } from '../support/pebble.ts';
import { freePorts } from '../support/ports.ts';

describe("Debian's ACME test server, which refuses half of the nonces", () => {
  const { signal } = new AbortController();
  const shown = new Map<string, string>();
  let pebble: Pebble;
  let visitors: Server;
  let session: Session;
  const solver: Solver = {
    type: 'http-01',
    show: async proof => void shown.set(proof.token, proof.keyAuthorization),
    hide: async proof => void shown.delete(proof.token),
  };
  const get = (host: string) =>
    obtain(
      {
        host,
        session,
        solver,
        clock,
        replaces: undefined,
        pending: undefined,
        keep: () => {},
        left: () => {},
      },
      signal,
    );

  beforeAll(async () => {
    const [http = 0, https = 0] = await freePorts(2);
    visitors = createServer((req, res) => {
      const found = shown.get(req.url?.replace('/.well-known/acme-challenge/', '') ?? '');
      res.writeHead(found === undefined ? 404 : 200).end(found);
    });
    await new Promise<void>(resolve => visitors.listen(http, '127.0.0.1', resolve));
    pebble = await startPebble({ http, https });
    session = new Session({
      server: pebble.directory,
      key: newAccountKey(),
      email: 'ann@example.org',
      transport: createTransport({ caFile: pebble.caFile, proxies: undefined, agent: 'test' }),
      clock,
    });
  });
  afterAll(async () => {
    visitors?.close();
    await pebble?.stop();
  });

  it('gives a certificate for a host that is ours, and revokes it', async () => {
    const { names, chain, selfSigned } = parseCertificate(await get('www.example.org'), new Date());
    expect({ names, selfSigned }).toEqual({ names: ['www.example.org'], selfSigned: false });
    const { serialNumber } = new X509Certificate(chain);
    expect(await pebble.statusOf(serialNumber)).toBe('Valid');
    await revoke(session, chain, signal);
    expect(await pebble.statusOf(serialNumber)).toBe('Revoked');
    await revoke(session, chain, signal);
  });

  it('is understood when it refuses: where somebody else answers, and for a name that nobody may have', async () => {
    const silent = { ...solver, show: async () => {} };
    const task = { session, clock, replaces: undefined, pending: undefined, keep: () => {}, left: () => {} };
    await expect(obtain({ ...task, host: 'other.example.org', solver: silent }, signal)).rejects.toThrow(
      /No certificate for other\.example\.org: something else answered there/,
    );
    await expect(obtain({ ...task, host: 'a_b.example.org', solver }, signal)).rejects.toThrow(
      /No certificate for a_b\.example\.org: /,
    );
  });
});
