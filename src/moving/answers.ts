import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

// What another platform said, when its form is known.

/** @throws invalid */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw malformed('it is not one JSON object');
}

/** @throws invalid */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would show what it read, which may be a secret.
    throw malformed('it is not JSON, or was cut off');
  }
}

export function malformed(why: string): WherryError {
  return new WherryError('invalid', `the answer is not what it should be: ${why}`);
}

/** A JSON list of objects. @throws invalid */
export function parseObjects(text: string): readonly Readonly<Record<string, unknown>>[] {
  const list = parseJson(text);
  if (Array.isArray(list) && list.every(each => typeof each === 'object' && each !== null)) return list;
  throw malformed('it is no JSON list of objects');
}

/** Texts by key, as config variables are. @throws invalid */
export function parseTexts(text: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(parseObject(text)).map(([key, value]) => {
      if (typeof value !== 'string') throw malformed('a value is no text');
      return [key, value];
    }),
  );
}

/** Runs a reader of an answer, and says whose answer to what was not understood. @throws invalid */
export function understood<Value>(who: string, words: readonly string[], read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WherryError)) throw error;
    throw new WherryError(
      'invalid',
      `${who} was asked ${quoteForPeople(words.join(' '))}, and ${error.message}. Nothing was changed.`,
      { cause: error },
    );
  }
}

/** What would move a terminal; an answer is shown in one. */
export function hasControls(text: string): boolean {
  return /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text);
}
