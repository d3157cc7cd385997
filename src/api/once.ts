import { createHash } from 'node:crypto';
import { type ErrorCode, WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Actor } from '../domain/push.ts';
import type { Outcome } from './outcome.ts';

type Kept = {
  /** Names the request's content. */
  readonly request: string;
  /** Its outcome as JSON; `begun` until there is one, and for good when the daemon was stopped. */
  readonly state: 'begun' | 'too-large' | { readonly outcome: string };
};
type Place = { readonly actor: string; readonly key: string };

/** Where outcomes outlive the daemon. */
export interface KeptOutcomes {
  find(place: Place): Kept | undefined;
  put(place: Place, kept: Kept, at: Date): void;
  remove(place: Place): void;
  /** Drops what is older, and of an actor all but the newest. */
  prune(actor: string, bounds: { before: Date; most: number }): void;
}

/** A write that has a key: whose, which, and the content that the key belongs to from then on. */
type Keyed = { readonly actor: Actor; readonly key: string; readonly request: unknown };

export type Once = ReturnType<typeof createOnce>;

const day = 24 * 3_600_000;
/** Kept of one actor. */
const mostKept = 1000;
/** Bytes of JSON. */
const largestKept = 64 * 1024;
/** Errors of work that was begun; after any other nothing was done, and the key is free again. */
const ofWork: readonly ErrorCode[] = ['failed', 'build-failed', 'check-failed'];

/** Does a write with a key once, and answers the same again for a day. */
export function createOnce({ kept, now }: { kept: KeptOutcomes; now: () => Date }) {
  const running = new Set<string>();

  const keep = (place: Place, request: string, outcome: Outcome): void => {
    if (outcome.kind === 'problem' && !ofWork.includes(outcome.problem.code)) {
      kept.remove(place);
      return;
    }
    const json = JSON.stringify(outcome);
    const fits = Buffer.byteLength(json) <= largestKept;
    kept.put(place, { request, state: fits ? { outcome: json } : 'too-large' }, now());
  };

  return {
    /**
     * Does the work, or gives the outcome that it had.
     * @throws invalid for the key, conflict while it is done or when it was cut off, key-reused for another request's key
     */
    async do(
      { actor, key, request }: Keyed,
      work: () => Promise<Outcome>,
    ): Promise<{ outcome: Outcome; replayed: boolean }> {
      const place = { actor: nameOf(actor), key: checkKey(key) };
      const name = JSON.stringify(place);
      const hash = createHash('sha256').update(canonical(request)).digest('base64url');
      kept.prune(place.actor, { before: new Date(now().getTime() - day), most: mostKept });
      const before = kept.find(place);
      if (before) {
        if (before.request !== hash) throw reused(key);
        return { outcome: again(before, { key, running: running.has(name) }), replayed: true };
      }
      running.add(name);
      kept.put(place, { request: hash, state: 'begun' }, now());
      try {
        const outcome = await work();
        keep(place, hash, outcome);
        return { outcome, replayed: false };
      } finally {
        // After an error that is no outcome, it stays begun: nobody knows how far it came.
        running.delete(name);
      }
    },
  };
}

/** A token's own: another of the same user may be narrower, and is shown nothing of it. */
function nameOf({ via, name, token }: Actor): string {
  return [via, name, ...(token === undefined ? [] : [token])].join(' ');
}

function checkKey(key: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new WherryError(
    'invalid',
    'The Idempotency-Key is not valid. Give 1 to 255 letters, digits and signs, such as a UUID.',
  );
}

function reused(key: string): WherryError {
  return new WherryError(
    'key-reused',
    `Idempotency-Key ${quoteForPeople(key)} belongs to another request. Use a new one for each.`,
  );
}

function again({ state }: Kept, { key, running }: { key: string; running: boolean }): Outcome {
  const named = `The request of Idempotency-Key ${quoteForPeople(key)}`;
  if (running) throw new WherryError('conflict', `${named} is being done. Ask again later.`);
  if (state === 'begun')
    throw new WherryError('conflict', `${named} was cut off. Look how far it came, then use a new key.`);
  if (state === 'too-large')
    throw new WherryError('conflict', `${named} was done, with an answer that was too large to be kept.`);
  return JSON.parse(state.outcome) as Outcome;
}

/** JSON with the keys of objects in order, so that two ways of writing the same are the same. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
