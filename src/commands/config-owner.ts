import { WherryError } from '../domain/errors.ts';
import type { AppName } from '../domain/names.ts';
import type { ConfigOwner } from '../store/config.ts';
import { toggle } from './args.ts';
import type { Context } from './context.ts';

export const merged = toggle({ help: 'with the variables of all apps that the app has not of its own' });

/** Whose variables are meant: an app's, or those of all. @throws app-not-found */
export function ownerOf(context: Context, name: AppName | undefined): ConfigOwner {
  return name === undefined ? 'global' : context.app(name);
}

/** What is set for it; of an app, `merged`, what it would run with. @throws app-not-found, usage */
export function configOf(
  context: Context,
  input: { readonly app: AppName | undefined; readonly merged: boolean },
): Record<string, string> {
  const owner = ownerOf(context, input.app);
  if (!input.merged) return context.store.config.own(owner);
  if (owner === 'global') throw new WherryError('usage', '--merged is about one app. Leave out --global.');
  return context.store.config.merged(owner);
}
