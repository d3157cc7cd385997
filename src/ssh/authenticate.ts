import { createHash, timingSafeEqual } from 'node:crypto';
import ssh2, { type AuthContext, type PublicKeyAuthContext } from 'ssh2';
import type { Actor } from '../domain/push.ts';

/** A registered key by its fingerprint; `publicKey` is `type base64`. */
export type FindKey = (
  fingerprint: string,
) => { readonly name: string; readonly publicKey: string } | undefined;

export type Verdict =
  | { readonly kind: 'login'; readonly actor: Actor }
  /** A question whether this key would do, without proof of holding it: not a login. */
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'refused';
      readonly reason: string;
      /** Fingerprint of the key. */
      readonly credential?: string;
    };

/** Who someone is, is their key; these names only say that they mean Wherry. */
const userNames = new Set(['wherry', 'dokku', 'git']);

/** Judges one authentication request. A wrong user name is treated as a key that nobody registered. */
export function judge(context: AuthContext, findKey: FindKey): Verdict {
  if (context.method !== 'publickey') return { kind: 'refused', reason: `method ${context.method}` };
  const fingerprint = fingerprintOf(context.key.data);
  const key = findKey(fingerprint);
  const known = key !== undefined && sameKey(key.publicKey, context.key);
  if (!known || !userNames.has(context.username))
    return { kind: 'refused', reason: `unknown key ${fingerprint}`, credential: fingerprint };
  // Without a hash name the client means ssh-rsa, which is RSA with SHA-1.
  if (context.key.algo === 'ssh-rsa' && context.hashAlgo === undefined) {
    return { kind: 'refused', reason: 'SHA-1 signature', credential: fingerprint };
  }
  if (!context.signature || !context.blob) return { kind: 'probe' };
  if (!signed(context))
    return { kind: 'refused', reason: `bad signature for ${fingerprint}`, credential: fingerprint };
  return { kind: 'login', actor: { name: key.name, via: 'ssh', fingerprint } };
}

function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

function sameKey(publicKey: string, offered: { algo: string; data: Buffer }): boolean {
  const [type, encoded = ''] = publicKey.split(' ');
  const blob = Buffer.from(encoded, 'base64');
  return type === offered.algo && blob.length === offered.data.length && timingSafeEqual(blob, offered.data);
}

function signed(context: PublicKeyAuthContext): boolean {
  const parsed = ssh2.utils.parseKey(`${context.key.algo} ${context.key.data.toString('base64')}`);
  if (parsed instanceof Error || !context.blob || !context.signature) return false;
  return parsed.verify(context.blob, context.signature, context.hashAlgo) === true;
}
