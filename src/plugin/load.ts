import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sentence, WherryError } from '../domain/errors.ts';
import type { PluginDefinition } from './api.ts';
import { checkDefinition } from './define-check.ts';
import { codeEnding } from './folders.ts';

/** A plugin's definition, or why there is none. */
export type Loaded = { readonly definition: PluginDefinition } | { readonly unusable: string };

/** Runs the code of a plugin in this process. Never throws: one that cannot be loaded says why. */
export async function loadPlugin({ name, path }: { name: string; path: string }): Promise<Loaded> {
  const index = ['.js', codeEnding].map(ending => join(path, `index${ending}`)).find(existsSync);
  if (index === undefined) return { unusable: `Plugin ${name} has no index.js.` };
  try {
    const module = (await import(pathToFileURL(index).href)) as { default?: unknown };
    return { definition: checkDefinition(module.default, name) };
  } catch (error) {
    if (error instanceof WherryError) return { unusable: sentence(error) };
    const why = error instanceof Error ? error.message : String(error);
    return { unusable: `Plugin ${name} cannot be loaded: ${why}` };
  }
}
