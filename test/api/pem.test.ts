import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPem } from '../../src/api/pem.ts';
import { createAuthority } from '../support/certificates.ts';

const dir = mkdtempSync(join(tmpdir(), 'wherry-pem-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const { chain, key } = createAuthority().issue(['api.example.org']);
const { key: otherKey } = createAuthority().issue(['api.example.org']);
const now = new Date();

describe('the certificate of the API', () => {
  it('is read with its key from one file or two', () => {
    const both = readPem({ certificate: file('both.pem', `${key}${chain}`), key: '' }, now);
    const apart = readPem({ certificate: file('a.crt', chain), key: file('a.key', key) }, now);
    expect(both).toEqual(apart);
    expect(both.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it.each([
    ['has no key', () => ({ certificate: file('c.crt', chain), key: '' }), /key/i],
    ['has another key', () => ({ certificate: file('d.crt', chain), key: file('d.key', otherKey) }), /key/i],
    ['is none', () => ({ certificate: file('e.crt', 'nonsense'), key: '' }), /no certificate/],
    ['is not there', () => ({ certificate: join(dir, 'none'), key: '' }), /cannot be read: ENOENT/],
  ])('is refused in a sentence when it %s', (_what, files, message) => {
    expect(() => readPem(files(), now)).toThrow(message);
  });

  it('is refused once it has expired', () => {
    const certificate = file('f.pem', `${key}${chain}`);
    expect(() => readPem({ certificate, key: '' }, new Date(now.getTime() + 1e11))).toThrow(/expired/);
  });
});
