import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { renewalId } from '../../src/acme/renewal-info.ts';

/** A certificate that signed itself, with this serial number and whatever else. */
function certificate(...more: string[]): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  return execFileSync('openssl', ['req', '-x509', ...key, '-subj', '/CN=a.example.org', ...more], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

function keyOf(chain: string): Buffer {
  const said = execFileSync('openssl', ['x509', '-noout', '-ext', 'authorityKeyIdentifier'], {
    input: chain,
    encoding: 'utf8',
  });
  return Buffer.from((/([0-9A-F]{2}(?::[0-9A-F]{2}){19})/.exec(said)?.[1] ?? '').replaceAll(':', ''), 'hex');
}

describe('the name that an authority knows a certificate by for its renewal', () => {
  it.each([
    // The serial number of RFC 9773 section 4.1: its first bit is set, so that a zero byte goes before it.
    ['0x87654321', 'AIdlQyE'],
    ['0x7f', 'fw'],
    ['0x0102', 'AQI'],
  ])('is the identifier of its issuer, and the serial number: of %s', (serial, encoded) => {
    const chain = certificate('-set_serial', serial);
    const key = keyOf(chain);
    expect(key).toHaveLength(20);
    expect(renewalId(chain)).toBe(`${key.toString('base64url')}.${encoded}`);
  });

  it('is none for a certificate that does not identify its issuer', () => {
    expect(renewalId(certificate('-addext', 'authorityKeyIdentifier=none'))).toBeUndefined();
  });
});
