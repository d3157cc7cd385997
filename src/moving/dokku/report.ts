import { WherryError } from '../../domain/errors.ts';

/** Values of an `X:report`, by key without the report's prefix; lists are joined by blanks. */
export type Report = ReadonlyMap<string, string>;

/**
 * `{"app-vhosts":"a b","domains-app-vhosts":"a b"}`, newer dokku's form.
 * @throws invalid when it is no flat JSON object
 */
export function readJsonReport(text: string, prefix: string): Report {
  const fields = parseObject(text);
  return new Map(
    Object.entries(fields).map(([key, value]) => [bare(key, prefix), asText(value)] as [string, string]),
  );
}

/**
 * `=====> blog domains information` and lines as `       Domains app vhosts:   a b`, the form of every dokku.
 * @throws invalid when lines are missing or have another form
 */
export function readTextReport(text: string, prefix: string): Report {
  const [head = '', ...lines] = text.split('\n').filter(line => line.trim() !== '');
  if (!/^=====> .* information\s*$/.test(head)) throw malformed('a report begins with another line');
  return new Map(
    lines.map(line => {
      const [, label, value = ''] = /^\s+([^:]{1,200}):\s*(.*?)\s*$/.exec(line) ?? [];
      if (label === undefined) throw malformed('a line of a report has no value');
      return [
        bare(
          label
            .trim()
            .toLowerCase()
            .replace(/[\s.]+/g, '-'),
          prefix,
        ),
        value,
      ];
    }),
  );
}

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
  return new WherryError('invalid', `the answer is not what dokku says: ${why}`);
}

function bare(key: string, prefix: string): string {
  return key.startsWith(prefix) ? key.slice(prefix.length) : key;
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null) return '';
  if (Array.isArray(value) && value.every(each => typeof each === 'string')) return value.join(' ');
  throw malformed('a value of a report is no text');
}
