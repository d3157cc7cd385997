import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TestCertificate = { readonly chain: string; readonly key: string; readonly pem: string };
export type TestAuthority = {
  /** PEM that clients trust. */
  readonly root: string;
  /** A certificate for these names, with the intermediate authority behind it. */
  issue(
    names: readonly string[],
    options?: { readonly days?: number; readonly rsa?: number },
  ): TestCertificate;
  /** PEM of a certificate for a request, which decides on the names, with the intermediate authority behind it. */
  sign(request: string, days: number): string;
};

/** A certificate authority with an intermediate, by openssl, in a scratch folder that is gone afterwards. */
export function createAuthority(): TestAuthority {
  const openssl = (dir: string, ...args: string[]) =>
    execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const within = <Value>(work: (dir: string) => Value): Value => {
    const dir = mkdtempSync(join(tmpdir(), 'wherry-ca-'));
    try {
      return work(dir);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };
  const key = (bits?: number) =>
    bits === undefined
      ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
      : ['-newkey', `rsa:${bits}`];
  const made = within(dir => {
    openssl(
      dir,
      'req',
      '-x509',
      ...key(),
      '-nodes',
      '-days',
      '30',
      '-subj',
      '/CN=Test Root',
      '-keyout',
      'r.key',
      '-out',
      'r.crt',
    );
    openssl(
      dir,
      'req',
      ...key(),
      '-nodes',
      '-subj',
      '/CN=Test Intermediate',
      '-keyout',
      'i.key',
      '-out',
      'i.csr',
    );
    writeFileSync(join(dir, 'ext'), 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n');
    openssl(
      dir,
      'x509',
      '-req',
      '-in',
      'i.csr',
      '-CA',
      'r.crt',
      '-CAkey',
      'r.key',
      '-CAcreateserial',
      '-days',
      '30',
      '-extfile',
      'ext',
      '-out',
      'i.crt',
    );
    const text = (name: string) => readFileSync(join(dir, name), 'utf8');
    return { root: text('r.crt'), authority: text('i.crt'), authorityKey: text('i.key') };
  });
  return {
    root: made.root,
    issue: (names, { days = 30, rsa } = {}) =>
      within(dir => {
        writeFileSync(join(dir, 'i.crt'), made.authority);
        writeFileSync(join(dir, 'i.key'), made.authorityKey);
        writeFileSync(join(dir, 'ext'), `subjectAltName=${names.map(name => `DNS:${name}`).join(',')}\n`);
        openssl(dir, 'req', ...key(rsa), '-nodes', '-subj', '/CN=leaf', '-keyout', 'l.key', '-out', 'l.csr');
        openssl(
          dir,
          'x509',
          '-req',
          '-in',
          'l.csr',
          '-CA',
          'i.crt',
          '-CAkey',
          'i.key',
          '-CAcreateserial',
          '-days',
          String(days),
          '-extfile',
          'ext',
          '-out',
          'l.crt',
        );
        const chain = readFileSync(join(dir, 'l.crt'), 'utf8') + made.authority;
        const text = readFileSync(join(dir, 'l.key'), 'utf8');
        return { chain, key: text, pem: chain + text };
      }),
    sign: (request, days) =>
      within(dir => {
        writeFileSync(join(dir, 'i.crt'), made.authority);
        writeFileSync(join(dir, 'i.key'), made.authorityKey);
        writeFileSync(join(dir, 'l.csr'), request);
        writeFileSync(join(dir, 'ext'), 'authorityKeyIdentifier=keyid\n');
        const by = ['-CA', 'i.crt', '-CAkey', 'i.key', '-CAcreateserial', '-extfile', 'ext'];
        const args = ['-copy_extensions', 'copy', '-days', String(days), '-out', 'l.crt'];
        openssl(dir, 'x509', '-req', '-in', 'l.csr', ...by, ...args);
        return readFileSync(join(dir, 'l.crt'), 'utf8') + made.authority;
      }),
  };
}
