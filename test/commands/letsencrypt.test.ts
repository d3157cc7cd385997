import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../src/acme/transport.ts';
import type { Actor } from '../../src/domain/push.ts';
import { type FakeCa, startFakeCa } from '../acme/support/fake-ca.ts';
import { type Bench, createBench } from './support.ts';

const ann: Actor = { name: 'ann', via: 'ssh' };

describe('letsencrypt', () => {
  let ca: FakeCa;
  let bench: Bench;
  const run = (line: string) => bench.run(...line.split(' '));

  beforeAll(async () => {
    ca = await startFakeCa();
  });
  afterAll(() => ca?.stop());
  beforeEach(async () => {
    bench = createBench({
      transport: createTransport({ caFile: ca.caFile, proxies: undefined, agent: 'test' }),
    });
    ca.says.look = (_host, token) => bench.challenges.answers()[token];
    ca.says.revoked = [];
    await bench.deployed('blog');
    await run(`letsencrypt:set --global server ${ca.directory}`);
  });

  it(':enable gets a certificate, and :report, :list and :active tell of it', async () => {
    const enabled = await run('letsencrypt:enable blog');
    expect(enabled, enabled.stderr).toMatchObject({ code: 0 });
    expect(enabled.stdout).toContain('Got a certificate for blog.example.org, good until 20');
    const report = JSON.parse((await run('letsencrypt:report blog --format json')).stdout);
    expect(report).toMatchObject({
      active: 'true',
      hosts: 'blog.example.org',
      'missing-hosts': '',
      problems: '',
      server: '',
      'computed-server': ca.directory,
    });
    expect(report['renews-at'] < report['expires-at']).toBe(true);
    expect((await run('letsencrypt:list')).stdout).toMatch(/blog +blog\.example\.org +20/);
    expect((await run('letsencrypt:active blog')).stdout).toBe('true\n');
    expect((await run('certs:report blog --ssl-source')).stdout).toBe('acme\n');
    expect((await run('letsencrypt:enable blog')).stdout).toContain('Kept the certificate');
  });

  it(':disable drops what was got, :revoke also tells the authority', async () => {
    await run('letsencrypt:enable blog');
    expect((await run('letsencrypt:disable blog')).stdout).toContain(
      'Removed the certificates for blog.example.org',
    );
    expect(ca.says.revoked).toEqual([]);
    expect((await run('certs:report blog --ssl-enabled')).stdout).toBe('false\n');
    await run('letsencrypt:enable blog');
    expect((await run('letsencrypt:revoke blog')).stdout).toContain(
      'Revoked the certificates for blog.example.org',
    );
    expect(ca.says.revoked).toHaveLength(1);
    expect(await run('letsencrypt:revoke blog')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('letsencrypt:enable blog'),
    });
  });

  it('says of a certificate that was removed by hand that another is got', async () => {
    await run('letsencrypt:enable blog');
    expect((await run('certs:remove blog')).stderr).toContain('letsencrypt:disable blog ends that');
  });

  it(':cleanup drops what is for no domain of the app any more', async () => {
    await run('domains:add blog www.example.org');
    await run('letsencrypt:enable blog');
    await run('domains:remove blog www.example.org');
    expect((await run('letsencrypt:cleanup blog')).stdout).toContain(
      'Removed the certificates for www.example.org',
    );
    expect((await run('letsencrypt:report blog --letsencrypt-hosts')).stdout).toBe('blog.example.org\n');
  });

  it(':enable fails where no certificate can be got, names the host and the remedy, and stays enabled', async () => {
    ca.says.look = () => undefined;
    const failed = await run('letsencrypt:enable blog');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/No certificate for blog\.example\.org: .* let port 80 through/);
    expect(failed.stderr).toContain('No certificate was got for blog.example.org. It is tried again later');
    expect((await run('letsencrypt:active blog')).stdout).toBe('true\n');
    expect((await run('letsencrypt:list')).stdout).toContain('could not connect to it');
  });

  it("asks Let's Encrypt for no name that only this network knows", async () => {
    await run('letsencrypt:set --global server production');
    await run('domains:set blog blog.localhost blog intranet.local');
    const failed = await run('letsencrypt:enable blog');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('blog.localhost is no name of the Internet');
    expect(failed.stderr).toContain('No certificate can be got for a domain of blog.');
  });

  it.each([
    ['server', 'http://ca.example.org/', 'is no ACME server'],
    ['server', 'https://me:secret@ca.example.org/', 'is no ACME server'],
    ['server', 'constructor', 'is no ACME server'],
    ['email', 'ann', 'is no e-mail address'],
    ['email', 'a@b.org,c@d.org', 'is no e-mail address'],
    ['graceperiod', '0', 'is not of use'],
    ['graceperiod', 'soon', 'is not a duration'],
    ['challenge', 'dns-01', 'is no way to prove'],
    ['dns-hook', 'hook.sh', 'is not an absolute path'],
  ])(':set refuses %s %s', async (property, value, words) => {
    const refused = await run(`letsencrypt:set blog ${property} ${value}`);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
  });

  it(':set takes a program for DNS from the shell of the server alone', async () => {
    const refused = await bench.runWith({
      words: ['letsencrypt:set', 'blog', 'dns-hook', '/bin/true'],
      actor: ann,
    });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Set it from the shell there'),
    });
    expect(await run('letsencrypt:set blog dns-hook /bin/true')).toMatchObject({ code: 0 });
  });

  it(':set takes seconds for the grace period as dokku does, and unsets without a value', async () => {
    expect((await run('letsencrypt:set blog graceperiod 2592000')).stdout).toContain(
      'Setting graceperiod to 2592000',
    );
    expect((await run('letsencrypt:set blog graceperiod')).stdout).toContain('Unsetting graceperiod');
  });

  it('is refused for an app without domains, without having been enabled, and for no app at all', async () => {
    await run('domains:clear blog');
    expect((await run('letsencrypt:enable blog')).stderr).toContain('has no domain. Add one first.');
    expect((await run('letsencrypt:auto-renew blog')).stderr).toContain(
      'No certificates are got for app blog',
    );
    expect((await run('letsencrypt:enable none')).code).toBe(20);
    expect(await run('letsencrypt:auto-renew')).toMatchObject({ code: 0 });
  });
});
