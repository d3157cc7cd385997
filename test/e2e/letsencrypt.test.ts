import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { ask } from '../support/http.ts';
import { type Pebble, startPebble } from '../support/pebble.ts';
import { until } from '../support/until.ts';
import { createWherry, type Wherry } from '../support/wherry.ts';

describe('certificates from an ACME authority', () => {
  let wherry: Wherry;
  let pebble: Pebble;
  let root: string;

  const run = async (...words: string[]) => {
    const ran = await wherry.cli(...words);
    expect(ran.code, ran.output).toBe(0);
    return ran.output;
  };
  /** What a visitor of the host is shown, who trusts the authority alone. */
  const shown = (host: string) =>
    new Promise<X509Certificate>((resolve, reject) => {
      const socket = connect(
        { host: '127.0.0.1', port: wherry.httpsPort, servername: host, ca: root },
        () => {
          resolve(new X509Certificate(socket.getPeerCertificate().raw));
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
  const plain = (host: string) => ask({ port: wherry.httpPort, host, path: '/' });

  beforeAll(async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'wherry-'));
    const caFile = join(scratch, 'ca.pem');
    wherry = await createWherry({ scratch, https: true, env: { WHERRY_CA_FILE: caFile } });
    pebble = await startPebble({ http: wherry.httpPort, https: wherry.httpsPort ?? 0 });
    const company = process.env['WHERRY_CA_FILE'] ?? process.env['NODE_EXTRA_CA_CERTS'];
    const trusted = [pebble.caFile, ...(company ? [company] : [])].map(file => readFileSync(file, 'utf8'));
    writeFileSync(caFile, trusted.join('\n'));
    root = await pebble.root();
    await wherry.start();
    await wherry.registerKey();
    await run('letsencrypt:set', '--global', 'server', pebble.directory);
    await run('letsencrypt:set', '--global', 'email', 'ann@example.org');
    await run('apps:create', 'site');
    await run('domains:set', 'site', 'one.example.org', 'two.example.org');
  });
  afterAll(async () => {
    await pebble?.stop();
    await wherry?.stop();
  });

  it('are got for each domain of an app, also before its first deploy', async () => {
    expect((await plain('one.example.org')).status).toBe(503);
    const said = await run('letsencrypt:enable', 'site');
    expect(said).toContain('Got a certificate for one.example.org');
    for (const host of ['one.example.org', 'two.example.org'])
      expect((await shown(host)).subjectAltName).toBe(`DNS:${host}`);
    const listed = JSON.parse(await run('letsencrypt:list', '--format', 'json'));
    expect(listed).toMatchObject([
      { app: 'site', host: 'one.example.org', problem: null },
      { app: 'site', host: 'two.example.org', problem: null },
    ]);
    await run('domains:add', 'site', 'three.example.org');
    const added = await until('the certificate', () => shown('three.example.org'));
    expect(added.subjectAltName).toBe('DNS:three.example.org');
  });

  it('are renewed while visitors are sent from HTTP to HTTPS', async () => {
    const pushed = await (await wherry.repository('site', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await plain('one.example.org')).status).toBe(301);
    const before = await shown('one.example.org');
    let renewing = true;
    const visits = (async () => {
      let count = 0;
      for (; renewing; count++) await shown('one.example.org');
      return count;
    })();
    await run('letsencrypt:auto-renew', 'site', '--all');
    renewing = false;
    // A handshake that failed would have thrown.
    expect(await visits).toBeGreaterThan(5);
    const after = await shown('one.example.org');
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(after.publicKey.equals(before.publicKey)).toBe(false);
  });

  it('stay when one host fails, which is named with the reason', async () => {
    await pebble.resolve('away.example.org', ['127.0.0.9']);
    await run('domains:add', 'site', 'away.example.org');
    const failed = await wherry.cli('letsencrypt:auto-renew', 'site');
    expect(failed.code).toBe(1);
    expect(failed.output).toMatch(
      /No certificate for away\.example\.org: .*Make its DNS point to this host and let port 80 through/,
    );
    expect((await shown('one.example.org')).subjectAltName).toBe('DNS:one.example.org');
    expect(await run('events', 'site')).toMatch(/certificate-failed.*away\.example\.org.*tried again after/);
    await run('domains:remove', 'site', 'away.example.org');
  });

  it('are got after all by a daemon that was killed between the order and its certificate', async () => {
    await run('apps:create', 'shop');
    await run('domains:set', 'shop', 'shop.example.org');
    await wherry.kill();
    await wherry.start('acme:issued');
    expect((await wherry.cli('letsencrypt:enable', 'shop')).code).not.toBe(0);
    await wherry.ended();
    expect((await shown('one.example.org')).subjectAltName).toBe('DNS:one.example.org');
    await wherry.start();
    await until('the certificate', async () => (await run('events', 'shop')).includes('Got a certificate'));
    expect((await shown('shop.example.org')).subjectAltName).toBe('DNS:shop.example.org');
  });

  it('are got over TLS alone, while visitors are shown what they were before', async () => {
    await run('apps:create', 'secure');
    await run('domains:set', 'secure', 'secure.example.org');
    await run('letsencrypt:set', 'secure', 'challenge', 'tls-alpn-01');
    await run('letsencrypt:enable', 'secure');
    const first = await shown('secure.example.org');
    expect(first.subjectAltName).toBe('DNS:secure.example.org');
    await run('letsencrypt:auto-renew', 'secure', '--all');
    expect((await shown('secure.example.org')).serialNumber).not.toBe(first.serialNumber);
  });

  it('are got for a wildcard through a program that puts records into DNS', async () => {
    const hook = join(wherry.scratch, 'hook');
    writeFileSync(
      hook,
      `#!/bin/sh
case "$1" in
present) curl -sf -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" ${pebble.dns}/set-txt ;;
cleanup) curl -sf -d "{\\"host\\":\\"$2.\\"}" ${pebble.dns}/clear-txt ;;
esac
`,
    );
    chmodSync(hook, 0o722);
    await run('apps:create', 'wild');
    await run('domains:set', 'wild', '*.wild.example.org');
    const without = await wherry.cli('letsencrypt:enable', 'wild');
    expect(without.output).toContain('needs a DNS hook');
    await run('letsencrypt:set', 'wild', 'dns-hook', hook);
    const unsafe = await wherry.cli('letsencrypt:auto-renew', 'wild');
    expect(unsafe.output).toContain('can be changed by others');
    chmodSync(hook, 0o700);
    await run('letsencrypt:auto-renew', 'wild');
    expect((await shown('any.wild.example.org')).subjectAltName).toBe('DNS:*.wild.example.org');
  });

  it('are revoked, and not shown any more', async () => {
    const { serialNumber } = await shown('one.example.org');
    await run('letsencrypt:revoke', 'site');
    expect(await pebble.statusOf(serialNumber)).toBe('Revoked');
    await until('the certificate to go', () =>
      shown('one.example.org').then(
        () => false,
        () => true,
      ),
    );
    expect((await plain('one.example.org')).status).toBe(200);
    expect((await run('letsencrypt:active', 'site')).trim()).toBe('false');
  });
});
