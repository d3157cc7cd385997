import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** RFC 7914; 16 MiB and some tens of milliseconds for each try. */
const cost = { N: 16_384, r: 8, p: 1 } as const;
const length = 32;

/** `scrypt$16384$8$1$SALT$HASH`, made off the event loop. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), hash.toString('base64')].join('$');
}

/** Whether the hash was made of this password; false also for what is no hash. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const [kind, N, r, p, salt = '', hash = ''] = stored.split('$');
  const known = Buffer.from(hash, 'base64');
  if (kind !== 'scrypt' || known.length !== length) return false;
  const made = await derive(password, Buffer.from(salt, 'base64'), {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  });
  return timingSafeEqual(made, known);
}

function derive(
  password: string,
  salt: Buffer,
  options: { readonly N: number; readonly r: number; readonly p: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(password, salt, length, options, (error, hash) => (error ? reject(error) : resolve(hash))),
  );
}
