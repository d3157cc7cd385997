import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { WherryError } from '../domain/errors.ts';

/** Where in the database a value lies: its table and what names its row. A sealed value opens there and nowhere else. */
export type Place = readonly [table: string, ...names: (string | number | null)[]];

export const keyBytes = 32;
/** In front of what is sealed: this, four bytes that tell which key, the nonce, the tag. */
const mark = Buffer.from('WSL1');
export const labelBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;

export type Seal = ReturnType<typeof createSeal>;

/**
 * Encrypts what must not be readable in the database file: AES-256-GCM (NIST SP 800-38D), 96-bit random nonce.
 * @param keys 32 bytes each; the first one seals, all of them open
 * @param keep writes the keys where they are found at the next start
 */
export function createSeal(keys: Buffer, keep: (keys: Buffer) => void = () => {}) {
  let ring = split(keys);
  const current = (): Key => {
    const [first] = ring;
    if (!first) throw new Error('a seal needs a key');
    return first;
  };
  const change = (next: readonly Key[]): void => {
    keep(Buffer.concat(next.map(({ secret }) => secret)));
    ring = next;
  };

  return {
    seal(plain: string, place: Place): Buffer {
      const { secret, label } = current();
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(named(place));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return Buffer.concat([label, nonce, cipher.getAuthTag(), body]);
    },
    open(sealed: Buffer, place: Place): string {
      const key = ring.find(({ label }) => label.equals(sealed.subarray(0, labelBytes)));
      if (!key) throw keyIsLost();
      const opened = decrypt(sealed.subarray(labelBytes), key.secret, named(place));
      if (opened !== undefined) return opened;
      throw new WherryError(
        'failed',
        `A sealed value of the database (${place.join(' ')}) is damaged, or lies where it was not put. Set it again, or restore a backup.`,
      );
    },
    /** What was sealed before values had labels and places. */
    openUnlabelled(sealed: Buffer): string {
      const [opened] = ring.flatMap(({ secret }) => decrypt(sealed, secret) ?? []);
      if (opened === undefined) throw keyIsLost();
      return opened;
    },
    /** What all that is sealed from now on begins with. */
    label: (): Buffer => current().label,
    /** @throws failed when none of the keys made it */
    checkLabel(label: Buffer): void {
      if (!ring.some(key => key.label.equals(label))) throw keyIsLost();
    },
    isRotating: (): boolean => ring.length > 1,
    /** From now on a new key seals; those before still open. */
    addKey: (): void => change([toKey(randomBytes(keyBytes)), ...ring]),
    /** Only once nothing in the database is sealed with another. */
    dropOtherKeys: (): void => change([current()]),
  };
}

type Key = { readonly secret: Buffer; readonly label: Buffer };

function split(keys: Buffer): readonly Key[] {
  const count = Math.floor(keys.length / keyBytes);
  return Array.from({ length: count }, (_, at) => toKey(keys.subarray(at * keyBytes, (at + 1) * keyBytes)));
}

function toKey(secret: Buffer): Key {
  const digest = createHash('sha256').update(secret).digest();
  return { secret, label: Buffer.concat([mark, digest.subarray(0, labelBytes - mark.length)]) };
}

function named(place: Place): Buffer {
  return Buffer.from(JSON.stringify(place));
}

/** Nonce, tag and body; undefined when it is not of this key and place. */
function decrypt(sealed: Buffer, secret: Buffer, place?: Buffer): string | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    if (place) decipher.setAAD(place);
    decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
    const body = sealed.subarray(nonceBytes + tagBytes);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

function keyIsLost(): WherryError {
  return new WherryError(
    'failed',
    'Config values cannot be decrypted. Put back the secret.key that belongs to this database, or restore a backup of both.',
  );
}
