import { WherryError } from './errors.ts';

/** What a backslash in double quotes makes of the letter after it; any other letter is itself. */
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** `KEY=`, with or without `export` in front of it. */
const assignment = /[ \t]*(?:export[ \t]+)?([^\s=#'"]+)[ \t]*=[ \t]*/y;
const skipped = /(?:[ \t]*(?:#[^\n]*)?\r?(?:\n|$))+/y;
const singleQuoted = /'([^']*)'/y;
const doubleQuoted = /"([^"\\]*(?:\\[\s\S][^"\\]*)*)"/y;
const bare = /[^\n]*/y;
const lineEnd = /[ \t]*(?:#[^\n]*)?\r?(?=\n|$)/y;

/**
 * The variables of an env file, as dotenv readers take it: `KEY=value` a line, with comments, `export`, and quotes that may hold
 * several lines. Nothing is expanded, `$` is a letter as others. A key given twice has its last value.
 * @throws invalid with the line that cannot be read; never shows a value
 */
export function parseEnvFile(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const body = text.replace(/^\uFEFF/, '');
  let at = 0;

  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(body);
    if (!match) return undefined;
    at += match[0].length;
    return match;
  };
  const refuse = (what: string): never => {
    const line = body.slice(0, at).split('\n').length;
    throw new WherryError('invalid', `Line ${line} of the env file ${what}.`);
  };

  const value = (): string => {
    const quote = body[at];
    if (quote !== "'" && quote !== '"') return unquoted(take(bare)?.[0] ?? '');
    const match = take(quote === "'" ? singleQuoted : doubleQuoted);
    if (!match) return refuse(`opens a quote (${quote}) that is not closed`);
    if (!take(lineEnd)) return refuse('goes on behind a closing quote');
    const [, content = ''] = match;
    return quote === "'"
      ? content
      : content.replace(/\\([\s\S])/g, (_all, letter: string) => escapes[letter] ?? letter);
  };

  while (at < body.length) {
    if (take(skipped)?.[0]) continue;
    const key = take(assignment)?.[1];
    found.set(key ?? refuse('is not of the form KEY=VALUE'), value());
  }
  return found;
}

/** Up to a comment, which has a blank in front of it. */
function unquoted(rest: string): string {
  return rest
    .trim()
    .replace(/(^|\s)#.*$/, '')
    .trimEnd();
}
