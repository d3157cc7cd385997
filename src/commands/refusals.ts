import { network } from '../domain/network-name.ts';
import type { Actor } from '../domain/push.ts';
import { type Refusal, sameRefusal } from '../store/refusals.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';

/** Rows that may begin in a minute, and how many of what goes on are remembered. */
const mostFresh = 60;
const mostSeen = 1000;

type Seen = { readonly since: number; total: number; unwritten: number };
type Noted = Pick<Refusal, 'user' | 'via' | 'credential' | 'address' | 'command' | 'result'>;

export interface Refusals {
  /** A login that was refused. */
  login(from: { via: 'ssh' | 'api'; address: string; user?: string; credential?: string | undefined }): void;
  /** Words of somebody known that are no command, or not one's arguments. */
  words(actor: Actor, what: { readonly command: string; readonly result: string }): void;
}

/**
 * Keeps who was refused, so that a flood costs little: what repeats is one row for an hour, written each time that its number has
 * doubled, and of more addresses than fit in a minute the rest is one row.
 */
export function createRefusals({
  store,
  clock,
}: {
  store: Pick<Store, 'refusals'>;
  clock: Pick<Clock, 'now'>;
}): Refusals {
  const seen = new Map<string, Seen>();
  let minute = { begun: 0, fresh: 0 };

  const mayBegin = (now: number): boolean => {
    if (now - minute.begun >= 60_000) minute = { begun: now, fresh: 0 };
    minute.fresh += 1;
    return minute.fresh <= mostFresh;
  };

  const note = (refusal: Noted): void => {
    const at = clock.now();
    const now = at.getTime();
    const { user, via, address, command, result } = refusal;
    const key = JSON.stringify([user, via, address, command, result]);
    const known = seen.get(key);
    const fresh = known === undefined || now - known.since >= sameRefusal;
    if (fresh && address !== '' && !mayBegin(now)) {
      note({ ...refusal, user: '', credential: null, address: '', command: 'many' });
      return;
    }
    const of = fresh ? { since: now, total: 0, unwritten: 0 } : known;
    of.total += 1;
    of.unwritten += 1;
    seen.delete(key);
    seen.set(key, of);
    const [oldest] = seen.keys();
    if (seen.size > mostSeen && oldest !== undefined) seen.delete(oldest);
    if ((of.total & (of.total - 1)) !== 0) return;
    store.refusals.add({ ...refusal, at, times: of.unwritten });
    of.unwritten = 0;
  };

  return {
    login: ({ via, address, user = '', credential = null }) =>
      note({
        ...{ user, via, credential },
        address: network(address),
        command: 'login',
        result: 'unauthenticated',
      }),
    words({ name, via, token, fingerprint, address }, what) {
      // Whoever is at the host itself needs no watching for typing errors.
      if (via !== 'ssh' && via !== 'api') return;
      note({
        user: name,
        via,
        credential: token ?? fingerprint ?? null,
        address: network(address ?? ''),
        ...what,
      });
    },
  };
}
