import type { Actor } from '../domain/push.ts';
import type { AuditEntry } from '../store/audit.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';

/** Keeps who did what, in the store that outlives logs. */
export function noteAudit(
  { store, clock }: { readonly store: Pick<Store, 'audit'>; readonly clock: Pick<Clock, 'now'> },
  { name, via, fingerprint, token, address }: Actor,
  what: Pick<AuditEntry, 'command' | 'app' | 'other' | 'args' | 'result'>,
): void {
  const credential = token ?? fingerprint ?? null;
  store.audit.add({ at: clock.now(), user: name, via, credential, address: address ?? null, ...what });
}
