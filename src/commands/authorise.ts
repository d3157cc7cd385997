import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import type { Access } from './define.ts';

/** What is asked of the key store: whether a key is still registered. */
export type KnownKeys = { byFingerprint(fingerprint: string): unknown };

/**
 * The one place that says who may do what. Today whoever holds a registered SSH key, or reaches the data directory's socket, is
 * an admin, as in dokku's core. A key removed while its connection is open ends its rights at the next command.
 * @throws access-denied
 */
export function authorise(actor: Actor, access: Access, keys: KnownKeys): void {
  if (access === 'public') return;
  if (actor.fingerprint !== undefined && keys.byFingerprint(actor.fingerprint) === undefined)
    throw new WherryError(
      'access-denied',
      `Access denied: SSH key ${actor.name} is not registered any more.`,
    );
}
