import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** A parser of whole numbers for a setting. */
export function wholeNumber(
  name: string,
  { least, most }: { least: number; most: number },
): (text: string) => number {
  return text => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new WherryError(
      'invalid',
      `${name}=${quoteForPeople(text)} is not a whole number from ${least} to ${most}.`,
    );
  };
}

/** A parser of `true` and `false` for a setting. */
export function trueOrFalse(name: string): (text: string) => boolean {
  return text => {
    if (text === 'true' || text === 'false') return text === 'true';
    throw new WherryError('invalid', `${name}=${quoteForPeople(text)} is neither true nor false.`);
  };
}
