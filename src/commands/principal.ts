import { WherryError } from '../domain/errors.ts';
import type { Principal } from '../domain/people.ts';
import type { Actor } from '../domain/push.ts';
import type { Store } from '../store/store.ts';

/**
 * Who the actor is and what they hold at this moment: a key or role that was taken away while its connection is open counts no
 * more. Whoever reaches the data directory's socket owns the host, and the platform itself asks nobody.
 * @throws access-denied when the key is not registered any more
 */
export function principalOf(actor: Actor, { keys, people }: Pick<Store, 'keys' | 'people'>): Principal {
  const { name, via, fingerprint, scope } = actor;
  if (via === 'local' || via === 'platform') return { user: name, grants: [{ role: 'owner' }] };
  if (fingerprint !== undefined && keys.byFingerprint(fingerprint)?.name !== name)
    throw new WherryError('access-denied', `Access denied: SSH key ${name} is not registered any more.`);
  return { user: name, grants: people.grants(name), ...(scope ? { scope } : {}) };
}
