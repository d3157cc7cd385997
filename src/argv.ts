import { WherryError } from './domain/errors.ts';
import { settingsTable } from './settings.ts';

const settingFlags = new Set<string>(Object.values(settingsTable).map(row => row.flag));

/** What this program does without asking a daemon. */
const ownCommands = ['daemon', 'edge', 'down', 'import', 'database', 'restore', 'drill'] as const;

/** `wherry [--data DIR] daemon|edge|down|import|database|restore|drill [--flag value ...]`: the command, or nothing when the words are for the client. */
export function ownCommand(argv: readonly string[]): (typeof ownCommands)[number] | undefined {
  let at = 0;
  for (let flag = flagName(argv[at]); flag; flag = flagName(argv[at])) {
    if (!settingFlags.has(flag)) return undefined;
    at += argv[at]?.includes('=') ? 1 : 2;
  }
  const word = argv[at];
  return ownCommands.find(own => own === word);
}

function flagName(word: string | undefined): string | undefined {
  return /^--([a-z-]+)(?:=|$)/.exec(word ?? '')?.[1];
}

/**
 * `--name value` and `--name=value`, before or after the command; `toggles` take no value.
 * @throws usage on a word that is no flag, or a flag without its value
 */
export function readFlags(
  argv: readonly string[],
  command: string,
  toggles: readonly string[] = [],
): Map<string, string> {
  const flags = new Map<string, string>();
  let commandSeen = false;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === command && !commandSeen) {
      commandSeen = true;
      continue;
    }
    const [, name, inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (!name)
      throw new WherryError('usage', `wherry ${command} takes flags only, not "${word}". See "wherry help".`);
    if (toggles.includes(name)) {
      flags.set(name, 'true');
      continue;
    }
    const value = inline ?? argv[++at];
    if (value === undefined) throw new WherryError('usage', `Flag --${name} needs a value.`);
    flags.set(name, value);
  }
  return flags;
}
