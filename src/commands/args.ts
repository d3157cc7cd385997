import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

/** The part of JSON Schema that arguments need; shown by `GET /v1/commands`. */
export type Schema = Readonly<Record<string, unknown>>;

/** A kind of argument: one parser, a usage word and a JSON schema; a new kind reaches every front end at once. */
export type ArgKind<Value> = {
  /** Shown in usage: `<app>`. */
  readonly word: string;
  readonly required: boolean;
  readonly schema: Schema;
  /** Takes all words that are left; of a flag, it may be repeated. */
  readonly rest?: true;
  /** Of `rest`: words that begin with a dash are its own too, not flags of the command. */
  readonly verbatim?: true;
  /** A flag without value. */
  readonly toggle?: true;
  /** A one-letter form of a flag, without the dash. */
  readonly short?: string;
  readonly help?: string;
  /**
   * What the audit leaves out: `all` of it, the `values` of KEY=VALUE, what is `assigned` behind a `=` if there is one, or the `rest`
   * behind the first word. Queries and logins in URLs are left out of everything.
   */
  readonly secret?: 'all' | 'values' | 'assigned' | 'rest';
  /**
   * `app` names an existing app, `past-app` one that exists or did, `new-app` one to be made: what the lock is taken on, and
   * where `--app` goes.
   */
  readonly role?: 'app' | 'past-app' | 'new-app';
  /** Takes the word `--global` in its place: what is set then is what apps have unless told otherwise. */
  readonly orGlobal?: true;
  /** Of `orGlobal`: words that are no app's but of the next argument, before which `--global` is meant (a host). */
  globalBefore?(word: string): boolean;
  /** Takes the names of flags that nothing else knows (reports: `--running`). */
  readonly unknownFlags?: true;
  /** From a word (all words for `rest`), from JSON, or from undefined when left out. @throws WherryError invalid */
  parse(value: unknown): Value;
};

export function optional<Value>(kind: ArgKind<Value>): ArgKind<Value | undefined> {
  return { ...kind, required: false, parse: value => (isMissing(value) ? undefined : kind.parse(value)) };
}

/** Takes `value` when nothing is given. */
export function withDefault<Value>(kind: ArgKind<Value>, value: Value): ArgKind<Value> {
  return {
    ...kind,
    required: false,
    schema: { ...kind.schema, default: value },
    parse: given => (isMissing(given) ? value : kind.parse(given)),
  };
}

/** Dresses a kind as a flag: its one-letter form, its line in the help. */
export function flag<Value>(
  kind: ArgKind<Value>,
  dress: { readonly help: string; readonly short?: string; readonly word?: string },
): ArgKind<Value> {
  return { ...kind, ...dress };
}

/** A flag without value, false unless given. */
export function toggle(dress: { readonly help: string; readonly short?: string }): ArgKind<boolean> {
  return {
    ...dress,
    word: '',
    required: false,
    toggle: true,
    schema: { type: 'boolean', default: false },
    parse(value) {
      if (value === undefined || value === false || value === 'false') return false;
      if (value === true || value === 'true' || value === '') return true;
      throw new WherryError('invalid', `${shown(value)} is neither true nor false.`);
    },
  };
}

/** All words that are left, one or more, each of the kind. */
export function many<Value>(kind: ArgKind<Value>): ArgKind<readonly Value[]> {
  return {
    word: kind.word,
    required: true,
    rest: true,
    schema: { type: 'array', items: kind.schema, minItems: 1 },
    parse: value => asList(value).map(item => kind.parse(item)),
  };
}

/** A word as it is. */
export function text(word: string): ArgKind<string> {
  return { word, required: true, schema: { type: 'string' }, parse: value => asText(value, word) };
}

export function choice<const Options extends readonly string[]>(
  word: string,
  options: Options,
): ArgKind<Options[number]> {
  return {
    word,
    required: true,
    schema: { enum: options },
    parse(value) {
      const found = options.find(option => option === value);
      if (found === undefined)
        throw new WherryError(
          'invalid',
          `${shown(value)} is not a ${word}. Known are: ${options.join(', ')}.`,
        );
      return found;
    },
  };
}

/** A whole number from `min` to `max`, both allowed. */
export function integer(word: string, range: { min: number; max: number }): ArgKind<number> {
  return {
    word,
    required: true,
    schema: { type: 'integer', minimum: range.min, maximum: range.max },
    parse: value => asInteger(value, { word, ...range }),
  };
}

export function asText(value: unknown, word: string): string {
  if (typeof value !== 'string')
    throw new WherryError('invalid', `${shown(value)} is not text, as <${word}> must be.`);
  return value;
}

export function asInteger(value: unknown, rule: { word: string; min: number; max: number }): number {
  const digits = typeof value === 'number' ? String(value) : value;
  const number = typeof digits === 'string' && /^\d{1,15}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(number >= rule.min && number <= rule.max)) {
    throw new WherryError(
      'invalid',
      `${shown(value)} is not a valid ${rule.word}. Give a whole number from ${rule.min} to ${rule.max}.`,
    );
  }
  return number;
}

/** Words of a `rest`, or a JSON list. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** A value of anybody's making, safe to show. */
export function shown(value: unknown): string {
  return quoteForPeople(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
}

/** Not given; an empty list or object says nothing either. */
export function isMissing(value: unknown): boolean {
  return (
    value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
  );
}
