import { commandName } from './arguments.ts';

/** Commands that give the terminal to a program of the app; a test compares them with the registry, which takes long to load. */
export const terminalCommands: readonly string[] = ['run', 'enter', 'storage:exec'];

type Ends = Readonly<Record<'stdin' | 'stdout', { readonly isTTY?: boolean }>>;

/** Whether the command is to have a terminal: both ends are one, and it can use it. */
export function wantsTerminal(words: readonly string[], { stdin, stdout }: Ends): boolean {
  return stdin.isTTY === true && stdout.isTTY === true && terminalCommands.includes(commandName(words) ?? '');
}
