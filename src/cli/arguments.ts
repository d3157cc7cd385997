import { resolve } from 'node:path';
import { refuseNoUtf8 } from '../domain/words.ts';

/** What the client keeps for itself, and the words that it sends. */
export type Arguments = {
  readonly data: string;
  /** A directory was named on the command line: the daemon of this host is meant, whatever else is set. */
  readonly isLocal: boolean;
  readonly words: readonly string[];
};

const defaultData = '/var/lib/wherry';
/** Flags in front of a command that are followed by a value. */
const valued = new Set(['--app', '--format']);

/** Takes `--data DIR` out of what stands in front of the command; then WHERRY_DATA, then the default. @throws invalid for words that are no UTF-8 */
export function readArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Arguments {
  for (const word of argv) refuseNoUtf8(word, 'The command line');
  const words: string[] = [];
  const left = [...argv];
  let data: string | undefined;
  while (left[0]?.startsWith('-') && left[0] !== '--') {
    const word = left.shift() ?? '';
    if (word === '--data') data = left.shift() ?? '';
    else if (word.startsWith('--data=')) data = word.slice('--data='.length);
    else if (valued.has(word)) words.push(word, ...left.splice(0, 1));
    else words.push(word);
  }
  return {
    data: resolve(data || env['WHERRY_DATA'] || defaultData),
    isLocal: data !== undefined,
    words: [...words, ...left],
  };
}

/** The word that names the command; flags in front of it are passed over. */
export function commandName(words: readonly string[]): string | undefined {
  for (let at = 0; at < words.length; at += valued.has(words[at] ?? '') ? 2 : 1)
    if (!words[at]?.startsWith('-')) return words[at];
  return undefined;
}
