import ssh2 from 'ssh2';
import { WherryError } from '../domain/errors.ts';

/** In OpenSSH's forms. */
export type SshKeyPair = { readonly publicKey: string; readonly privateKey: string };

/** About one ed25519 key in 250 comes out of ssh2 in a form that nothing reads; such a one is thrown away. @throws failed */
export function makeSshKeyPair(comment: string): SshKeyPair {
  for (let tries = 0; tries < 20; tries++) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error))
      return { publicKey: pair.public, privateKey: pair.private };
  }
  throw new WherryError('failed', 'No key could be made. Try again.');
}
