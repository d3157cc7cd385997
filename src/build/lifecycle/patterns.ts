import { matchPath } from './glob.ts';

// The patterns of .gitignore, which project.toml uses for what belongs to the app.

type Pattern = {
  readonly parts: readonly string[];
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
  return [{ parts: anchored ? parts : ['**', ...parts], negated, foldersOnly }];
}

/** `**` stands for any number of folders, at the end for at least one name. */
function matchParts(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first !== '**') {
    const [name, ...below] = path;
    return name !== undefined && matchPath(first, name) && matchParts(rest, below);
  }
  if (rest.length === 0) return path.length > 0;
  if (rest[0] === '**') return matchParts(rest, path);
  return path.some((_name, index) => matchParts(rest, path.slice(index)));
}
