import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sentence, WherryError } from '../domain/errors.ts';
import type { HookName } from '../hooks.ts';
import type { Clock } from '../system/clock.ts';
import type { PluginDefinition } from './api.ts';
import { checkDefinition } from './define-check.ts';
import { codeEnding } from './folders.ts';
import { withinLimit } from './limit.ts';
import { programsIn } from './program.ts';

/** Milliseconds for its code to say what it is: one that waits forever must not keep the daemon from beginning. */
const patience = 10_000;

/** What a plugin is made of, or why it cannot be used. */
export type Loaded =
  | { readonly definition: PluginDefinition; readonly programs: ReadonlyMap<HookName, string> }
  | { readonly unusable: string };

export type PluginFolder = {
  readonly name: string;
  readonly path: string;
  /** Of one that may be programs alone. */
  readonly summary?: string;
  readonly version?: string;
};

/** Runs the code of a plugin in this process. Never throws: one that cannot be loaded says why. */
export async function loadPlugin(folder: PluginFolder, clock: Clock): Promise<Loaded> {
  const { name, path } = folder;
  try {
    const programs = await programsIn(path);
    const read = () => definitionIn(folder, programs.size > 0);
    return { definition: await withinLimit(read, { ms: patience, clock }), programs };
  } catch (error) {
    if (error instanceof WherryError) return { unusable: sentence(error) };
    const why = error instanceof Error ? error.message : String(error);
    return { unusable: `Plugin ${name} in ${path} cannot be loaded: ${why}` };
  }
}

async function definitionIn(
  { name, path, summary = '' }: PluginFolder,
  hasPrograms: boolean,
): Promise<PluginDefinition> {
  const index = ['.js', codeEnding].map(ending => join(path, `index${ending}`)).find(existsSync);
  if (index === undefined && hasPrograms) return { name, summary };
  if (index === undefined)
    throw new WherryError('invalid', `Plugin ${name} has neither an index.js nor programs in hooks/.`);
  const module = (await import(pathToFileURL(index).href)) as { default?: unknown };
  return checkDefinition(module.default, name);
}
