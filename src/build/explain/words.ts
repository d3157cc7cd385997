import { quoteForPeople } from '../../domain/names.ts';
import type { Explanation } from './explanation.ts';
import { type Change, partWords } from './part.ts';

/** Changes that are named in one sentence. */
const mostNamed = 10;

/** The one sentence for who waits: "This build runs because: package-lock.json changed, FOO changed". */
export function becauseOf({ cause, changes }: Pick<Explanation, 'cause' | 'changes'>): string {
  const named = (list: readonly Change[], first: readonly string[] = []) => {
    const words = [...first, ...list.map(wordsOf)];
    const more = words.length - mostNamed;
    return [...words.slice(0, mostNamed), ...(more > 0 ? [`${more} more`] : [])].join(', ');
  };
  const decisive = changes.filter(({ counts }) => counts);
  switch (cause) {
    case 'first':
      return 'This build runs because: nothing is kept of a build before it';
    case 'asked':
      return `This build runs because: ${named(decisive, ['it was asked for'])}`;
    case 'changed':
      return `This build runs because: ${named(decisive)}`;
    case 'lost':
      return 'This build runs because: layers of the last build are gone';
    case 'unknown':
      return 'This build runs because: the last one left nothing to compare with';
    case 'unchanged':
      if (changes.length === 0) return 'No build runs: nothing changed';
      return `No buildpack runs: none depends on what changed (${named(changes)})`;
  }
}

/** "stack changed (debian-12@1 to debian-12@2)". */
export function wordsOf({ kind, name, how, from, to }: Change): string {
  const what = [partWords[kind], plain(name)].filter(word => word !== '').join(' ');
  const said = how === 'changed' ? 'changed' : `is ${how}`;
  return from === undefined || to === undefined || from === to
    ? `${what} ${said}`
    : `${what} ${said} (${plain(from)} to ${plain(to)})`;
}

/** Names of files come from a repository or a buildpack. */
function plain(text: string): string {
  return /^[\x20-\x7e]{0,200}$/.test(text) ? text : quoteForPeople(text);
}
