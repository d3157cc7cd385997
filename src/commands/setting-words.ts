import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { shown } from './args.ts';
import type { Context } from './context.ts';
import { tell } from './doing.ts';

/**
 * `min=0 max=` as settings by name; undefined for one that is to be unset. @throws invalid for another name, a value that its
 * parser does not take, or a name given twice
 */
export function readSettingWords<Name extends string>(
  words: readonly string[],
  names: readonly Name[],
  parserOf: (name: Name) => (text: string) => unknown,
): ReadonlyMap<Name, string | undefined> {
  const found = new Map<Name, string | undefined>();
  for (const word of words) {
    const at = word.indexOf('=');
    const name = names.find(each => each === word.slice(0, Math.max(at, 0)));
    if (name === undefined)
      throw new WherryError(
        'invalid',
        `${shown(word)} is no setting. Give SETTING=VALUE of: ${names.join(', ')}.`,
      );
    if (found.has(name)) throw new WherryError('invalid', `${name} is given twice. Give it once.`);
    const value = word.slice(at + 1);
    if (value !== '') parserOf(name)(value);
    found.set(name, value === '' ? undefined : value);
  }
  return found;
}

/** Stores settings of an app or of all, and says so. */
export function setProperties<Name extends string>(
  context: Context,
  settings: {
    readonly owner: App | undefined;
    readonly given: ReadonlyMap<Name, string | undefined>;
    readonly keyOf: (name: Name) => string;
    /** Of the event in the app's history. */
    readonly event: string;
  },
): void {
  const { owner, given, keyOf, event } = settings;
  const words = [...given].map(([name, value]) =>
    value === undefined ? `${name} unset` : `${name}=${value}`,
  );
  context.store.transaction(() => {
    for (const [name, value] of given)
      context.store.properties.set(owner ? `app:${owner.id}` : 'global', keyOf(name), value);
  });
  context.progress.header(`Setting ${words.join(', ')}`);
  if (owner) tell(context, owner, event, `Set ${words.join(', ')}`);
}
