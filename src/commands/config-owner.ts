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

type Asked = { readonly app: AppName | undefined; readonly merged: boolean };

/** What stands where a value is write-only. */
export const unseen = '***';

/** What is set for it as people may see it. @throws app-not-found, usage */
export function shownConfig(context: Context, input: Asked): Record<string, string> {
  return { ...configOf(context, input), ...hidden(secretKeysOf(context, input)) };
}

/** The same for programs: stars would be taken for a value, so what is write-only is left out, and told. */
export function readableConfig(context: Context, input: Asked): Record<string, string> {
  const secret = secretKeysOf(context, input);
  if (secret.length > 0) context.progress.warn(`Left out, for they are write-only: ${secret.join(', ')}.`);
  return Object.fromEntries(
    Object.entries(configOf(context, input)).filter(([key]) => !secret.includes(key)),
  );
}

/** Which of them are write-only. @throws app-not-found */
export function secretKeysOf(context: Context, input: Asked): readonly string[] {
  const { config } = context.store;
  const owner = ownerOf(context, input.app);
  return owner !== 'global' && input.merged ? config.mergedSecretKeys(owner) : config.secretKeys(owner);
}

function hidden(keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map(key => [key, unseen]));
}

/** What is set for it; of an app, `merged`, what it would run with. @throws app-not-found, usage */
export function configOf(context: Context, input: Asked): Record<string, string> {
  const owner = ownerOf(context, input.app);
  if (!input.merged) return context.store.config.own(owner);
  if (owner === 'global') throw new WherryError('usage', '--merged is about one app. Leave out --global.');
  return context.store.config.merged(owner);
}
