import { parseDisk, parseMemory } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import {
  type AppName,
  type ConfigKey,
  type Domain,
  type ProcessType,
  parseAppName,
  parseConfigKey,
  parseDomain,
  parseProcessType,
} from '../domain/names.ts';
import { type PortMapping, parsePortMapping } from '../domain/port-map.ts';
import { largestScale } from '../domain/quota.ts';
import { everyType } from '../store/limits.ts';
import { type ArgKind, asInteger, asList, asText, optional, shown } from './args.ts';

/** Linux takes no environment string longer than 128 KiB (MAX_ARG_STRLEN); key and `=` come out of the same. */
const longestValue = 128 * 1024 - 512;

const name = <Value>(word: string, parse: (text: string) => Value): ArgKind<Value> => ({
  word,
  required: true,
  schema: { type: 'string' },
  parse: value => parse(asText(value, word)),
});

/** An existing app. */
export const app: ArgKind<AppName> = { ...name('app', parseAppName), role: 'app' };
/** An existing app, or `--global` for all that are not told otherwise: then undefined. */
export const appOrGlobal: ArgKind<AppName | undefined> = {
  ...app,
  word: 'app|--global',
  orGlobal: true,
  parse: value => (value === '--global' ? undefined : app.parse(value)),
};
/** The same, and in dokku's form for the host of something: its name in the first place is of all apps. */
export const appOrGlobalBeforeHost: ArgKind<AppName | undefined> = {
  ...optional(appOrGlobal),
  globalBefore: word => !/^[a-z0-9-]+$/.test(word),
};
/** The word `--global` and no other; `why` says so to whoever names an app. */
export const globalOnly = (why: string): ArgKind<'--global'> => ({
  word: '--global',
  required: true,
  orGlobal: true,
  schema: { enum: ['--global'] },
  parse(value) {
    if (value === '--global') return value;
    throw new WherryError('invalid', why);
  },
});
/** An app that exists, or did. */
export const anyApp: ArgKind<AppName> = { ...name('app', parseAppName), role: 'past-app' };
/** The name of an app to be made. */
export const newApp: ArgKind<AppName> = { ...name('app', parseAppName), role: 'new-app' };
export const processType: ArgKind<ProcessType> = name('process', parseProcessType);
export const domain: ArgKind<Domain> = name('domain', parseDomain);
export const configKey: ArgKind<ConfigKey> = name('KEY', parseConfigKey);
/** Bytes, from `512`, `512m`, `1g`. */
export const memory: ArgKind<number> = name('memory', parseMemory);

export const disk: ArgKind<number> = name('disk', parseDisk);

/** A process type, or `_default_` for all of them. */
export const limitedType: ArgKind<string> = name('process', text =>
  text === everyType ? text : parseProcessType(text),
);

/** CPUs as a fraction of one, 0.01 to 1024. */
export const cpus: ArgKind<number> = {
  ...name('cpus', parseCpus),
  parse: value => parseCpus(typeof value === 'number' ? String(value) : asText(value, 'cpus')),
};

/** A release's number, as `v12` or `12`. */
export const version: ArgKind<number> = {
  word: 'version',
  required: true,
  schema: { type: 'string', pattern: '^v?[0-9]+$' },
  parse(value) {
    const digits = typeof value === 'string' ? value.replace(/^v(?=\d)/, '') : value;
    return asInteger(digits, { word: 'version', min: 1, max: 999_999_999 });
  },
};

/** Milliseconds, from `90`, `90s`, `15m`, `2h`; a bare number is seconds. */
export const duration: ArgKind<number> = name('duration', text => {
  const match = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text);
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? 's'];
  if (!match || factor === undefined)
    throw new WherryError('invalid', `${shown(text)} is not a duration. Give for example 90s, 15m or 2h.`);
  return Number(match[1]) * factor;
});

/** `http:80:5000`. */
export const portMapping: ArgKind<PortMapping> = name('scheme:host:container', parsePortMapping);

/** `null` for the word `clear`, else the kind. */
export function clearable<Value>(kind: ArgKind<Value>): ArgKind<Value | null> {
  return {
    ...kind,
    word: `${kind.word}|clear`,
    parse: value => (value === 'clear' ? null : kind.parse(value)),
  };
}

/** `web=2 worker=0`, or `{ "web": 2 }`: 0 to 100 instances of each process type. */
export const counts: ArgKind<ReadonlyMap<ProcessType, number>> = {
  word: 'process=count',
  required: true,
  rest: true,
  schema: { type: 'object', additionalProperties: { type: 'integer', minimum: 0, maximum: largestScale } },
  parse: value =>
    toMap(value, 'process=count', (type, count) => [
      parseProcessType(type),
      asInteger(count, { word: `number of instances for ${shown(type)}`, min: 0, max: largestScale }),
    ]),
};

/** `KEY=VALUE ...`, or `{ "KEY": "VALUE" }`; values byte for byte. */
export const pairs: ArgKind<ReadonlyMap<ConfigKey, string>> = {
  word: 'KEY=VALUE',
  required: true,
  secret: 'values',
  rest: true,
  schema: { type: 'object', additionalProperties: { type: 'string' } },
  parse: value =>
    toMap(value, 'KEY=VALUE', (key, content) => [parseConfigKey(key), asConfigValue(key, content)]),
};

/** What an environment variable can hold. @throws invalid for a NUL, or more than about 128 KiB */
export function asConfigValue(key: string, value: unknown): string {
  if (typeof value !== 'string') throw new WherryError('invalid', `The value of ${key} is not text.`);
  if (value.includes('\0'))
    throw new WherryError(
      'invalid',
      `The value of ${key} holds a NUL byte, which no environment variable can.`,
    );
  if (Buffer.byteLength(value) > longestValue) {
    throw new WherryError(
      'invalid',
      `The value of ${key} is longer than ${longestValue} bytes, which no environment variable can be.`,
    );
  }
  return value;
}

function parseCpus(text: string): number {
  const number = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= 0.01 && number <= 1024))
    throw new WherryError(
      'invalid',
      `CPU limit ${shown(text)} is not valid. Give CPUs from 0.01 to 1024, as 1.5.`,
    );
  return number;
}

function toMap<Key, Value>(
  value: unknown,
  word: string,
  entry: (key: string, value: unknown) => [Key, Value],
): ReadonlyMap<Key, Value> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return new Map(Object.entries(value).map(([key, content]) => entry(key, content)));
  return new Map(asList(value).map(item => entry(...splitPair(asText(item, word), word))));
}

function splitPair(text: string, word: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new WherryError('invalid', `${shown(text)} is not of the form ${word}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}
