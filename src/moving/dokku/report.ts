import { malformed, parseObject } from '../answers.ts';

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
