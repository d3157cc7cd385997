import type { AppName } from '../domain/names.ts';
import type { Context } from './context.ts';
import { tell } from './doing.ts';
import { aMap, aText, orNull } from './results.ts';

type Setting = {
  /** undefined: for all apps that have none of their own. */
  readonly app: AppName | undefined;
  /** As people name it. */
  readonly property: string;
  /** The name that it is stored under. */
  readonly key: string;
  /** Checked by whoever calls; undefined unsets it. */
  readonly value: string | undefined;
  /** Of the event in an app's history. */
  readonly event: string;
};

/** The app, or null for all, and the property by its name: what it is now, or null. */
export const settingDone = aMap(orNull(aText));

/** Sets or unsets a property of an app or of all, and says so: the body of a `X:set` command. @throws app-not-found */
export function setProperty(context: Context, { app, property, key, value, event }: Setting) {
  const owner = app === undefined ? undefined : context.app(app);
  context.store.properties.set(owner === undefined ? 'global' : `app:${owner.id}`, key, value);
  const words = settingWords(property, value);
  context.progress.header(words);
  if (owner) tell(context, owner, event, words);
  return { app: owner?.name ?? null, [property]: value ?? null };
}

/** In dokku's words. */
export function settingWords(property: string, value: string | null | undefined): string {
  return value == null ? `Unsetting ${property}` : `Setting ${property} to ${value}`;
}
