import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** Seconds that an app may say it is busy for: a day. */
const longestLease = 86_400;

/** `300`, a whole number of seconds up to a day, in milliseconds. @throws invalid */
export function parseLease(text: string | null): number {
  if (text === null)
    throw new WherryError('invalid', 'For how long is missing. Ask with POST /busy?seconds=300.');
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 1 && seconds <= longestLease) return seconds * 1000;
  throw new WherryError(
    'invalid',
    `seconds=${quoteForPeople(text)} is not a whole number from 1 to ${longestLease}.`,
  );
}
