import type { Command } from '../commands/define.ts';
import { systemClock } from '../system/clock.ts';
import { commandsOf } from './commands.ts';
import { builtInFolder, foldersIn } from './folders.ts';
import { loadPlugin } from './load.ts';
import type { Tools } from './tools.ts';

/** Commands of the plugins that come with Wherry, for documents: they are not to be run. */
export async function builtInCommands(): Promise<readonly Command[]> {
  const commands = await Promise.all(
    (await foldersIn(builtInFolder)).map(async folder => {
      const loaded = await loadPlugin(folder, systemClock);
      if ('unusable' in loaded) throw new Error(loaded.unusable);
      return commandsOf(loaded.definition, {} as Tools);
    }),
  );
  return commands.flat();
}
