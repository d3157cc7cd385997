// Loaded only when no daemon is asked: it brings the whole registry.
import { readFileSync } from 'node:fs';
import { completionScript } from '../commands/completion.ts';
import { helpLines } from '../commands/help.ts';
import { createCoreRegistry } from '../commands/index.ts';
import type { Registry } from '../commands/registry.ts';
import { WherryError } from '../domain/errors.ts';
import { builtInCommands } from '../plugin/built-in-commands.ts';
import { readHelp } from '../plugin/help-file.ts';
import { createPaths } from '../system/paths.ts';

/**
 * The text of `help`, `help <command>`, `<namespace>:help`, `version` or `completion <shell>`; undefined for a topic that is not
 * known. Of installed plugins it knows what the daemon of the data directory wrote down.
 */
export async function answerOffline(words: readonly string[], data: string): Promise<string | undefined> {
  const named = words.filter(word => !word.startsWith('-'));
  const isVersion =
    named[0] === 'version' || (named.length === 0 && words.some(word => /^(-v|--version)$/.test(word)));
  if (isVersion) return `wherry version ${version()}\n`;
  const registry = await everyCommand(data);
  const [first, second] = named;
  if (first === 'completion' && !words.some(word => /^(-h|--help)$/.test(word)))
    return second === 'bash' || second === 'zsh' || second === 'fish'
      ? completionScript(registry, second)
      : undefined;
  const topic = first === 'help' ? second : first?.replace(/:help$/, '');
  try {
    return `${helpLines(registry, topic).join('\n')}\n`;
  } catch (error) {
    if (error instanceof WherryError) return undefined;
    throw error;
  }
}

async function everyCommand(data: string): Promise<Registry> {
  const registry = createCoreRegistry();
  for (const command of await builtInCommands()) registry.add(command);
  const isNew = (name: string) => registry.lookup(name) === undefined;
  for (const { aliases = [], ...command } of readHelp(createPaths({ data }).pluginHelp))
    if (isNew(command.name)) registry.add({ ...command, aliases: aliases.filter(isNew) });
  return registry;
}

/** Compiled files lie one folder deeper than sources. */
function version(): string {
  const root = import.meta.url.includes('/dist/src/') ? '../../../' : '../../';
  const file = new URL(`${root}package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
