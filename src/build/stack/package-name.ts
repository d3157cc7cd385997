import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';

/** The name of a Debian package. One that ends in `-` would be a removal to apt. */
export function isPackageName(text: string): boolean {
  return /^[a-z0-9][a-z0-9+.-]{1,99}$/.test(text) && !text.endsWith('-');
}

/** @throws invalid */
export function parsePackageName(text: string): string {
  if (isPackageName(text)) return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is not the name of a Debian package. Correct or remove it.`,
  );
}
