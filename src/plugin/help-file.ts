import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Command } from '../commands/define.ts';
import type { Registry } from '../commands/registry.ts';
import type { Log } from '../system/log.ts';

type Changed = Pick<Registry, 'add' | 'remove' | 'namespace' | 'explainAbsent'>;

const kind = z.looseObject({ word: z.string(), required: z.boolean() });
const file = z.array(
  z.looseObject({
    name: z.string(),
    summary: z.string(),
    args: z.record(z.string(), kind),
    flags: z.record(z.string(), kind).optional(),
  }),
);

/** A registry for plugins that writes down what they bring, so that help knows of it while no daemon runs. */
export function keepHelp(
  registry: Changed,
  { file: path, log }: { readonly file: string; readonly log: Log },
): { readonly registry: Changed; stop(): void } {
  const known = new Map<string, Command>();
  let stopped = false;
  const write = (): void => {
    if (stopped) return;
    try {
      writeFileSync(`${path}.tmp`, JSON.stringify([...known.values()]));
      renameSync(`${path}.tmp`, path);
    } catch (error) {
      log.warn({ err: error }, 'the help of plugins could not be written down');
    }
  };
  return {
    registry: {
      ...registry,
      add(command) {
        registry.add(command);
        known.set(command.name, command);
        write();
      },
      remove(name) {
        registry.remove(name);
        if (known.delete(name)) write();
      },
    },
    /** From now on plugins end with the daemon, and what they bring comes back with it. */
    stop() {
      stopped = true;
    },
  };
}

/** What was written down last, for help alone: none of it can be run. Nothing where nothing was, or where it is damaged. */
export function readHelp(path: string): readonly Command[] {
  try {
    return file.parse(JSON.parse(readFileSync(path, 'utf8'))) as unknown as readonly Command[];
  } catch {
    return [];
  }
}
