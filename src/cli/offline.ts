// Loaded only when no daemon answers: it brings the whole registry.
import { readFileSync } from 'node:fs';
import { helpLines } from '../commands/help.ts';
import { registry } from '../commands/index.ts';
import { WherryError } from '../domain/errors.ts';

/** The text of `help`, `help <command>`, `<namespace>:help` or `version`; undefined for a topic that is not known. */
export function answerOffline(words: readonly string[]): string | undefined {
  const named = words.filter(word => !word.startsWith('-'));
  const isVersion =
    named[0] === 'version' || (named.length === 0 && words.some(word => /^(-v|--version)$/.test(word)));
  if (isVersion) return `wherry version ${version()}\n`;
  const topic = named[0] === 'help' ? named[1] : named[0]?.replace(/:help$/, '');
  try {
    return `${helpLines(registry, topic).join('\n')}\n`;
  } catch (error) {
    if (error instanceof WherryError) return undefined;
    throw error;
  }
}

/** Compiled files lie one folder deeper than sources. */
function version(): string {
  const root = import.meta.url.includes('/dist/src/') ? '../../../' : '../../';
  const file = new URL(`${root}package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
