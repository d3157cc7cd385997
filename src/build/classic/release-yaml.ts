import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';

/** What a classic buildpack's `bin/release` says of the app. */
export type ReleaseInfo = {
  readonly processes: ReadonlyMap<string, string>;
  /** The old `config_vars`: defaults for the environment. */
  readonly config: ReadonlyMap<string, string>;
};

type Line = { readonly indent: number; readonly text: string; readonly number: number };

/**
 * The YAML that `bin/release` prints: two levels of `key: value`, plain, quoted or as a block, or all of it as JSON. Lists
 * and other keys (addons) are passed over.
 * @throws build-failed naming the line that says more than that
 */
export function parseRelease(yaml: string): ReleaseInfo {
  const body = yaml.replace(/^\uFEFF/, '').replace(/^\s*---[ \t]*/, '');
  if (body.trimStart().startsWith('{')) return fromJson(body.trim());
  const sections = parseSections(body);
  return {
    processes: sections.get('default_process_types') ?? new Map(),
    config: sections.get('config_vars') ?? new Map(),
  };
}

function fromJson(text: string): ReleaseInfo {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse(1, text);
  }
  const section = (name: string) => {
    const found = (value as Record<string, unknown>)[name];
    const entries = typeof found === 'object' && found !== null ? Object.entries(found) : [];
    return new Map(entries.map(([key, item]) => [key, String(item)]));
  };
  return { processes: section('default_process_types'), config: section('config_vars') };
}

function parseSections(body: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  const lines = body.split(/\r?\n/).map((text, index): Line => {
    return { indent: text.length - text.trimStart().length, text: text.trim(), number: index + 1 };
  });
  let current: Map<string, string> | undefined;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    if (!line || line.text === '' || line.text.startsWith('#')) continue;
    if (line.indent === 0) {
      const { key, value } = splitPair(line);
      const wanted = key === 'default_process_types' || key === 'config_vars';
      current = wanted ? new Map() : undefined;
      if (current) sections.set(key, current);
      if (current && value !== '' && !/^(\{\s*\}|~|null)$/.test(value)) throw refuse(line.number, line.text);
    } else if (current) {
      const { key, value } = splitPair(line);
      const block = /^[|>][+-]?$/.exec(value);
      const inside = block ? blockAfter(lines, at) : [];
      const text = block
        ? inside
            .map(each => each.text)
            .join(value.startsWith('|') ? '\n' : ' ')
            .trim()
        : scalar(value, line);
      if (text !== '') current.set(key, text);
      at += inside.length;
    }
  }
  return sections;
}

function blockAfter(lines: readonly Line[], start: number): readonly Line[] {
  const { indent } = lines[start] ?? { indent: 0 };
  const rest = lines.slice(start + 1);
  const end = rest.findIndex(line => line.text !== '' && line.indent <= indent);
  return end < 0 ? rest.filter(({ text }) => text !== '') : rest.slice(0, end);
}

function splitPair(line: Line): { key: string; value: string } {
  const match = /^(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_.-]+))\s*:(?:\s+(.*))?$/.exec(line.text);
  if (!match && (line.text.startsWith('- ') || line.text === '...')) return { key: '', value: '' };
  if (!match) throw refuse(line.number, line.text);
  return { key: match[1] ?? match[2] ?? match[3] ?? '', value: match[4] ?? '' };
}

function scalar(value: string, line: Line): string {
  if (value.startsWith('"')) {
    const quoted = /^("(?:[^"\\]|\\.)*")\s*(?:#.*)?$/.exec(value)?.[1];
    try {
      return String(JSON.parse(quoted ?? ''));
    } catch {
      throw refuse(line.number, line.text);
    }
  }
  if (value.startsWith("'")) {
    const quoted = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(value)?.[1];
    if (quoted === undefined) throw refuse(line.number, line.text);
    return quoted.replaceAll("''", "'");
  }
  if (/^[&*![\]{}%@`]/.test(value)) throw refuse(line.number, line.text);
  const plain = value.replace(/\s+#.*$/, '').replace(/^#.*$/, '');
  return plain === '~' || plain === 'null' ? '' : plain;
}

function refuse(number: number, text: string): WherryError {
  return new WherryError(
    'build-failed',
    `What bin/release of the buildpack printed cannot be read, line ${number}: ${quoteForPeople(text)}. Name the processes in a Procfile.`,
  );
}
