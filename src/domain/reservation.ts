/** What one process type, or all of an app (`_default_`), is promised of the host, where that is not its limit. */
export type Reservation = { readonly memory?: number; readonly cpus?: number };

/** By process type. */
export type Reservations = Readonly<Record<string, Reservation>>;

/** The property that keeps them. */
export const reservationsKey = 'resource-reserve';

export function readReservations(text: string | undefined): Reservations {
  return JSON.parse(text ?? '{}') as Reservations;
}

/** A change of one of them; `null` takes a key away. */
export function withReservation(
  all: Reservations,
  type: string,
  change: { readonly memory?: number | null; readonly cpus?: number | null },
): Reservations {
  const kept = Object.entries({ ...all[type], ...change }).filter(([, value]) => value !== null);
  const others = Object.entries(all).filter(([other]) => other !== type);
  return Object.fromEntries(kept.length === 0 ? others : [...others, [type, Object.fromEntries(kept)]]);
}

/** Bytes that an instance counts for in the memory of the host: its limit, unless less is reserved. More it can never use. */
export function promisedMemory(all: Reservations, type: string, common: string, limit: number): number {
  return Math.min(all[type]?.memory ?? all[common]?.memory ?? limit, limit);
}
