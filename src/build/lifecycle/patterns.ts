import { pathMatcher } from './glob.ts';

// The patterns of .gitignore, which project.toml uses for what belongs to the app.

/** Matches one name; or `**`, any number of folders. */
type Part = '**' | ((name: string) => boolean);

type Pattern = {
  readonly parts: readonly Part[];
  readonly negated: boolean;
  readonly foldersOnly: boolean;
};

export type Candidate = {
  /** Relative to the app's folder. */
  readonly path: string;
  readonly folder: boolean;
};

/** Whether the last pattern that matches a path is one that is not negated. Its parents are not looked at. */
export function createMatcher(lines: readonly string[]): (candidate: Candidate) => boolean {
  const patterns = lines.flatMap(parse);
  return ({ path, folder }) => {
    const parts = path.split('/');
    const last = patterns.findLast(
      pattern => (folder || !pattern.foldersOnly) && matchParts(pattern.parts, parts),
    );
    return last !== undefined && !last.negated;
  };
}

function parse(line: string): readonly Pattern[] {
  const text = line.replace(/(?<!\\) +$/, '');
  if (text === '' || text.startsWith('#')) return [];
  const negated = text.startsWith('!');
  const body = (negated ? text.slice(1) : text).replace(/^\.\//, '/');
  const foldersOnly = body.endsWith('/');
  const inner = body.replace(/\/+$/, '');
  const anchored = inner.includes('/');
  const parts = inner
    .replace(/^\//, '')
    .split('/')
    .map(part => part.replaceAll('[!', '[^'));
  const whole = anchored ? parts : ['**', ...parts];
  // At the end it stands for at least one name.
  const ending = whole.at(-1) === '**' ? ['*', '**'] : whole.slice(-1);
  const compiled = [...whole.slice(0, -1), ...ending].map(
    (part): Part => (part === '**' ? part : pathMatcher(part)),
  );
  return [{ parts: compiled, negated, foldersOnly }];
}

/** With one point to go back to, the last `**`: quadratic at worst, whatever somebody writes. */
function matchParts(pattern: readonly Part[], path: readonly string[]): boolean {
  let [at, next] = [0, 0];
  let back: { at: number; next: number } | undefined;
  while (at < path.length) {
    const part = pattern[next];
    if (part === '**') {
      back = { at, next };
      next += 1;
    } else if (part?.(path[at] ?? '')) {
      at += 1;
      next += 1;
    } else if (back) {
      back = { at: back.at + 1, next: back.next };
      at = back.at;
      next = back.next + 1;
    } else return false;
  }
  return pattern.slice(next).every(part => part === '**');
}
