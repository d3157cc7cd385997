import type { Actor } from '../domain/push.ts';
import type { AuditEntry } from '../store/audit.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { unlessDiskRefuses } from '../system/disk-trouble.ts';
import type { Log } from '../system/log.ts';

type Keeper = {
  readonly store: Pick<Store, 'audit'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
};

/** Keeps who did what, in the store that outlives logs; what is done is done also where the disk has no room for that line. */
export function noteAudit(
  { store, clock, log }: Keeper,
  { name, via, fingerprint, token, address }: Actor,
  what: Pick<AuditEntry, 'command' | 'app' | 'other' | 'args' | 'result'>,
): void {
  const credential = token ?? fingerprint ?? null;
  const entry = { at: clock.now(), user: name, via, credential, address: address ?? null, ...what };
  unlessDiskRefuses(
    () => store.audit.add(entry),
    error => log.error({ err: error, ...entry }, 'the audit has no line of this'),
  );
}
