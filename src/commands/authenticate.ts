import type { Actor } from '../domain/push.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';

/** Milliseconds within which a second use is not noted: reading must not mean to write. */
const noteEvery = 60_000;

/** Who a token belongs to, and what it narrows their rights to; undefined for one that is wrong, revoked or expired. */
export function createAuthenticate({
  store,
  clock,
}: {
  store: Pick<Store, 'tokens'>;
  clock: Pick<Clock, 'now'>;
}) {
  return (secret: string): Omit<Actor, 'via' | 'address'> | undefined => {
    const token = store.tokens.find(secret);
    const now = clock.now();
    if (!token || (token.expiresAt !== null && token.expiresAt <= now)) return undefined;
    if (token.usedAt === null || now.getTime() - token.usedAt.getTime() >= noteEvery)
      store.tokens.noteUse(secret, now);
    return { name: token.user, token: token.name, scope: token.scope };
  };
}
