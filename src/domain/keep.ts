import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** What is kept of each app, as `builds:set` names it: how many unless told, and the least and most that can be asked. */
export const keeping = {
  /** Records and output of builds. */
  retention: { usual: 20, min: 1, max: 1000 },
  /** Releases that worked, for rollbacks, the live one among them. */
  'keep-releases': { usual: 10, min: 1, max: 100 },
} as const;

export type Kept = keyof typeof keeping;

/** The name that the property is stored under. */
export function keptProperty(what: Kept): string {
  return `builds-${what}`;
}

/** A stored number, or the usual one. */
export function keptOf(what: Kept, stored: string | undefined): number {
  return stored === undefined ? keeping[what].usual : parseKept(what, stored);
}

/** @throws invalid */
export function parseKept(what: Kept, text: string): number {
  const { min, max } = keeping[what];
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no number for ${what}. Give a whole number from ${min} to ${max}.`,
  );
}
