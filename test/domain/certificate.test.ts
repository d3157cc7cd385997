import { describe, expect, it } from 'vitest';
import { isFor, parseCertificate } from '../../src/domain/certificate.ts';
import { createAuthority } from '../support/certificates.ts';

const authority = createAuthority();
const good = authority.issue(['blog.test', '*.Blog.test']);
const now = new Date();

describe('a certificate', () => {
  it('is read with its chain, key, names and times', () => {
    const found = parseCertificate(good.pem, now);
    expect(found).toMatchObject({ names: ['blog.test', '*.blog.test'], selfSigned: false });
    expect(found.issuer).toContain('Test Intermediate');
    expect(found.chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(found.notAfter.getTime()).toBeGreaterThan(now.getTime());
  });

  it('is the same in any order, with what is in between left out, and its chain sorted', () => {
    const blocks = good.chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
    const shuffled = `noise\n${good.key}Bag Attributes\n${[...blocks].reverse().join('\n')}\n${authority.root}`;
    const found = parseCertificate(shuffled, now);
    expect(found.names).toEqual(['blog.test', '*.blog.test']);
    expect(found.chain.startsWith(blocks[0] ?? '')).toBe(true);
    expect(found.chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
  });

  it.each([
    ['nothing', '', 'There is no certificate in it'],
    ['a certificate without key', good.chain, 'There is no private key in it'],
    ['a key without certificate', good.key, 'There is no certificate in it'],
    ['the key of another', good.chain + authority.issue(['other.test']).key, 'does not belong'],
    ['two keys', good.pem + good.key, 'more than one private key'],
    ['a damaged certificate', good.pem.replace(/MII/, 'AAA'), 'cannot be read'],
    [
      'a key with a passphrase',
      `${good.chain}-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n`,
      'has a passphrase',
    ],
    ['a short key', authority.issue(['blog.test'], { rsa: 1024 }).pem, 'is not taken by browsers'],
  ])('is refused when it is %s', (_what, pem, reason) => {
    expect(() => parseCertificate(pem, now)).toThrow(reason);
  });

  it('is refused when it has expired, with the day', () => {
    const later = new Date(now.getTime() + 40 * 86_400_000);
    expect(() => parseCertificate(good.pem, later)).toThrow(/expired on \d{4}-\d\d-\d\d\. Renew it/);
  });

  it.each([
    ['blog.test', 'blog.test', true],
    ['*.blog.test', 'a.blog.test', true],
    ['*.blog.test', 'blog.test', false],
    ['*.blog.test', 'a.b.blog.test', false],
    ['blog.test', 'a.blog.test', false],
  ])('for %s is for %s: %s', (name, host, is) => expect(isFor(name, host)).toBe(is));
});
