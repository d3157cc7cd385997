import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { WherryError } from '../domain/errors.ts';

/** Encrypts what must not be readable in the database file: AES-256-GCM (NIST SP 800-38D), 96-bit random nonce in front. */
export type Seal = { seal(plain: string): Buffer; open(sealed: Buffer): string };

export function createSeal(key: Buffer): Seal {
  return {
    seal(plain) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
        decipher.setAuthTag(sealed.subarray(12, 28));
        return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new WherryError(
          'failed',
          'Config values cannot be decrypted. Put back the secret.key that belongs to this database.',
          { cause },
        );
      }
    },
  };
}

/** Reads the key file, or makes it (mode 0600) where there is none; it lies beside the database, never in it. */
export function loadKey(path: string): Buffer {
  try {
    writeFileSync(path, randomBytes(32), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const key = readFileSync(path);
  if (key.length !== 32)
    throw new WherryError(
      'failed',
      `Key file ${path} is damaged: it must hold 32 bytes. Restore it from a backup.`,
    );
  return key;
}
