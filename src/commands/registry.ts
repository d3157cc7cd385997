import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Command } from './define.ts';
import { nearName } from './near-name.ts';

export type Registry = ReturnType<typeof createRegistry>;

/** Every command by name and alias; plugins add theirs to the same. */
export function createRegistry(commands: readonly Command[] = []) {
  const byName = new Map<string, Command>();
  const primary: Command[] = [];
  const absent = new Map<string, string>();

  const add = (command: Command): void => {
    const names = [command.name, ...(command.aliases ?? [])];
    const taken = names.find(name => byName.has(name));
    if (taken !== undefined)
      throw new WherryError('conflict', `A command named ${taken} is registered already.`);
    for (const name of names) byName.set(name, command);
    primary.push(command);
  };
  for (const command of commands) add(command);

  const namespace = (word: string): readonly Command[] =>
    primary.filter(command => command.name === word || command.name.startsWith(`${word}:`));

  return {
    /** @throws conflict when a name or alias is taken */
    add,
    /** With its aliases; of a plugin that is disabled. */
    remove(name: string): void {
      const at = primary.findIndex(command => command.name === name);
      for (const command of at < 0 ? [] : primary.splice(at, 1))
        for (const each of [command.name, ...(command.aliases ?? [])]) byName.delete(each);
    },
    /** What to do about commands under a word while they are not there; without a hint nothing is known of them. */
    explainAbsent(word: string, hint: string | undefined): void {
      if (hint === undefined) absent.delete(word);
      else absent.set(word, hint);
    },
    /** In the order they were added. */
    list: (): readonly Command[] => primary,
    lookup: (name: string): Command | undefined => byName.get(name),
    /** The commands under a word: `apps` gives `apps:create` and so on. */
    namespace,
    /** @throws unknown-command, with the nearest name as hint */
    find(name: string): Command {
      const command = byName.get(name);
      if (command) return command;
      const near = nearName(name, [...byName.keys()]);
      const known = near ? `Did you mean ${near}? ` : '';
      const why = absent.get(name.split(':', 1)[0] ?? '');
      const shown = quoteForPeople(name).slice(1, -1);
      throw new WherryError('unknown-command', `\`${shown}\` is not a wherry command.`, {
        hint: why ?? `${known}See \`wherry help\` for a list of available commands.`,
      });
    },
  };
}
