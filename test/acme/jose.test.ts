import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyAuthorization, newAccountKey, publicJwk, signed } from '../../src/acme/jose.ts';

/** The key of RFC 7515 appendix A.3.1. */
const known = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
}).export({ type: 'pkcs8', format: 'pem' }) as string;

describe('what is signed for a certificate authority', () => {
  it('names the key by the members of its thumbprint alone, in their order', () => {
    expect(JSON.stringify(publicJwk(known))).toBe(
      '{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}',
    );
  });

  it('answers a challenge with the token and the thumbprint of the key', () => {
    expect(keyAuthorization('abc', known)).toBe('abc.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U');
  });

  it('can be checked with the public key, and says where it goes to', () => {
    const key = newAccountKey();
    const body = JSON.parse(
      signed({ csr: 'x' }, { nonce: 'n', url: 'https://ca.example/order', kid: 'me' }, key),
    );
    const header = JSON.parse(Buffer.from(body.protected, 'base64url').toString());
    expect(header).toEqual({ alg: 'ES256', nonce: 'n', url: 'https://ca.example/order', kid: 'me' });
    expect(JSON.parse(Buffer.from(body.payload, 'base64url').toString())).toEqual({ csr: 'x' });
    const check = (text: string) =>
      verify(
        'sha256',
        Buffer.from(text),
        { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' },
        Buffer.from(body.signature, 'base64url'),
      );
    expect(check(`${body.protected}.${body.payload}`)).toBe(true);
    expect(check(`${body.protected}.e30`)).toBe(false);
  });

  it('tells the key itself while there is no account, and has an empty body to read', () => {
    const key = newAccountKey();
    const body = JSON.parse(
      signed(undefined, { nonce: 'n', url: 'https://ca.example/', kid: undefined }, key),
    );
    expect(body.payload).toBe('');
    const header = JSON.parse(Buffer.from(body.protected, 'base64url').toString());
    expect(header.jwk).toEqual(publicJwk(key));
    expect(JSON.stringify(header)).not.toContain('"d"');
  });
});
