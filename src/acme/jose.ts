import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

/** PEM of a new ECDSA P-256 key: who we are to a certificate authority. */
export function newAccountKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** Its public half as a JSON Web Key with the members that a thumbprint counts, in their order (RFC 7638 section 3.2). */
export function publicJwk(key: string) {
  const { crv, kty, x, y } = createPublicKey(key).export({ format: 'jwk' });
  return { crv, kty, x, y };
}

/** What a challenge is answered with (RFC 8555 section 8.1). */
export function keyAuthorization(token: string, key: string): string {
  const thumbprint = createHash('sha256')
    .update(JSON.stringify(publicJwk(key)))
    .digest('base64url');
  return `${token}.${thumbprint}`;
}

export type JwsHeader = {
  readonly nonce: string;
  readonly url: string;
  /** The account's URL; left out, the key itself is told. */
  readonly kid?: string | undefined;
};

/** A body signed with ES256, as flattened JSON (RFC 8555 section 6.2). @param payload undefined for one that only reads */
export function signed(payload: object | undefined, header: JwsHeader, key: string): string {
  const { kid, ...rest } = header;
  const who = kid === undefined ? { jwk: publicJwk(key) } : { kid };
  const body = {
    protected: encoded({ alg: 'ES256', ...rest, ...who }),
    payload: payload === undefined ? '' : encoded(payload),
  };
  const signature = sign('sha256', Buffer.from(`${body.protected}.${body.payload}`), {
    key: createPrivateKey(key),
    dsaEncoding: 'ieee-p1363',
  });
  return JSON.stringify({ ...body, signature: signature.toString('base64url') });
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
