import { WherryError } from '../../domain/errors.ts';

// Go's filepath.Match, which slices are defined by: `*` and `?` never match "/", `**` is no more than `*`, classes negate
// with "^", "\" takes the next character as it is.

type Atom = { readonly kind: 'star' } | { readonly kind: 'one'; readonly matches: (char: string) => boolean };

/** @throws build-failed for a pattern that Go's filepath.Match calls malformed */
export function checkPattern(pattern: string, name: string): void {
  if (parse(pattern) === undefined) {
    throw new WherryError(
      'build-failed',
      `${name}: ${JSON.stringify(pattern)} is not a pattern. Close its brackets.`,
    );
  }
}

/** Whether the whole of `path` matches; a malformed pattern matches nothing. */
export function matchPath(pattern: string, path: string): boolean {
  return pathMatcher(pattern)(path);
}

/** The same for many paths. */
export function pathMatcher(pattern: string): (path: string) => boolean {
  const atoms = parse(pattern);
  return path => atoms !== undefined && matchAtoms(atoms, [...path]);
}

/** Greedy with one point to go back to: linear for every pattern that people write, quadratic at worst. */
function matchAtoms(atoms: readonly Atom[], text: readonly string[]): boolean {
  let [at, next] = [0, 0];
  let back: { at: number; next: number } | undefined;
  while (at < text.length) {
    const char = text[at] ?? '';
    const atom = atoms[next];
    if (atom?.kind === 'star') {
      back = { at, next };
      next += 1;
    } else if (atom?.matches(char)) {
      at += 1;
      next += 1;
    } else if (back && text[back.at] !== '/') {
      back = { at: back.at + 1, next: back.next };
      at = back.at;
      next = back.next + 1;
    } else {
      return false;
    }
  }
  return atoms.slice(next).every(({ kind }) => kind === 'star');
}

function parse(pattern: string): readonly Atom[] | undefined {
  const chars = [...pattern];
  const atoms: Atom[] = [];
  for (let at = 0; at < chars.length; ) {
    const char = chars[at] ?? '';
    if (char === '*') {
      atoms.push({ kind: 'star' });
      at += 1;
    } else if (char === '?') {
      atoms.push({ kind: 'one', matches: other => other !== '/' });
      at += 1;
    } else if (char === '[') {
      const parsed = parseClass(chars, at + 1);
      if (!parsed) return undefined;
      atoms.push({ kind: 'one', matches: parsed.matches });
      at = parsed.end;
    } else {
      const literal = char === '\\' ? chars[at + 1] : char;
      if (literal === undefined) return undefined;
      atoms.push({ kind: 'one', matches: other => other === literal });
      at += char === '\\' ? 2 : 1;
    }
  }
  return atoms;
}

type Class = { readonly matches: (char: string) => boolean; readonly end: number };

/** `[abc]`, `[a-z]`, `[^a]`; never empty. */
function parseClass(chars: readonly string[], start: number): Class | undefined {
  const negated = chars[start] === '^';
  const ranges: (readonly [string, string])[] = [];
  let at = negated ? start + 1 : start;
  for (;;) {
    if (chars[at] === ']' && ranges.length > 0) break;
    const low = classChar(chars, at);
    if (!low) return undefined;
    at = low.end;
    const high = chars[at] === '-' ? classChar(chars, at + 1) : low;
    if (!high) return undefined;
    at = high.end;
    ranges.push([low.char, high.char]);
  }
  const within = (char: string) => ranges.some(([low, high]) => low <= char && char <= high);
  return { matches: char => within(char) !== negated, end: at + 1 };
}

function classChar(chars: readonly string[], at: number): { char: string; end: number } | undefined {
  const escaped = chars[at] === '\\';
  const char = chars[escaped ? at + 1 : at];
  if (char === undefined || (!escaped && (char === '-' || char === ']'))) return undefined;
  return { char, end: at + (escaped ? 2 : 1) };
}
