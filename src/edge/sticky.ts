// Keeps a visitor's requests on one instance by a cookie. Its value is a MAC over app and instance, so that it names an
// instance to this server alone and nobody can make one up; looking it up is one map access.
import { createHmac, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Pool } from './pool.ts';

export type Sticky = {
  readonly byToken: ReadonlyMap<string, Pool>;
  readonly tokens: ReadonlyMap<Pool, string>;
};

const cookieName = 'wherry_instance';
const cookie = new RegExp(`(?:^|;[ \\t]*)${cookieName}=([\\w-]{22})(?:[ \\t]*;|$)`);
const keyBytes = 32;

export function createSticky(app: string, { pools, key }: { pools: readonly Pool[]; key: Buffer }): Sticky {
  const tokens = new Map(
    pools.map(pool => {
      const mac = createHmac('sha256', key).update(`${app}\0${pool.target.id}`);
      return [pool, mac.digest('base64url').slice(0, 22)];
    }),
  );
  return { tokens, byToken: new Map([...tokens].map(([pool, token]) => [token, pool])) };
}

/** The instance that the visitor was with, while it lives. @param text the Cookie header */
export function instanceOf(sticky: Sticky, text: string | undefined): Pool | undefined {
  const token = text === undefined ? undefined : cookie.exec(text)?.[1];
  return token === undefined ? undefined : sticky.byToken.get(token);
}

/** The Set-Cookie header that keeps the visitor with an instance until the browser is closed. */
export function stickyCookie(sticky: Sticky, pool: Pool, scheme: 'http' | 'https'): string {
  const secure = scheme === 'https' ? '; Secure' : '';
  return `${cookieName}=${sticky.tokens.get(pool) ?? ''}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}

/** The key of a data directory, made once: cookies stay good over restarts, and for all processes that share the directory. */
export async function readStickyKey(file: string): Promise<Buffer> {
  const known = await readFile(file).catch(() => undefined);
  if (known?.length === keyBytes) return known;
  const key = randomBytes(keyBytes);
  try {
    await writeFile(file, key, { mode: 0o600, flag: known ? 'w' : 'wx' });
    return key;
  } catch {
    // Another process was quicker; without a folder to write in, cookies last as long as this process.
    const theirs = await readFile(file).catch(() => key);
    return theirs.length === keyBytes ? theirs : key;
  }
}
