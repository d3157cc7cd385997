import type { Command } from './define.ts';
import type { Globals, Words } from './grammar.ts';

/**
 * Puts the app of the folder that the person is in (`--here`) where a command takes an app and none was named. A first word that is the
 * name of an app is that app; `--app` says it beyond doubt.
 */
export function withAppOfFolder(
  command: Command,
  words: Words,
  { here, app, isApp }: Pick<Globals, 'here' | 'app'> & { isApp(name: string): boolean },
): Words {
  const kinds = Object.values(command.args);
  const [first] = words.positional;
  if (here === undefined || app !== undefined || kinds[0]?.role !== 'app') return words;
  if (words.flags.has('all') || (first === '--global' && kinds[0].orGlobal)) return words;
  if (first !== undefined && (first === here || isApp(first))) return words;
  const isFull = words.positional.length >= kinds.length && !kinds.some(kind => kind.rest);
  return isFull ? words : { ...words, positional: [here, ...words.positional] };
}
