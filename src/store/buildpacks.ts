import { z } from 'zod';
import type { App } from '../domain/app.ts';
import { type BuildpackSource, parseBuildpackSource } from '../domain/buildpack-source.ts';
import type { propertiesStore } from './properties.ts';

const listName = 'buildpacks';
const stackName = 'buildpacks-stack';

/** Which buildpacks an operator chose for an app, in order, and the name of the stack that classic ones are told. */
export function buildpacksStore(properties: ReturnType<typeof propertiesStore>) {
  return {
    list(app: App): readonly BuildpackSource[] {
      const text = properties.get(scopeOf(app), listName) ?? '[]';
      return z.array(z.string()).parse(JSON.parse(text)).map(parseBuildpackSource);
    },
    set(app: App, sources: readonly BuildpackSource[]): void {
      const texts = sources.map(({ text }) => text);
      properties.set(scopeOf(app), listName, texts.length === 0 ? undefined : JSON.stringify(texts));
    },
    stack: (app: App): string | undefined => properties.get(scopeOf(app), stackName),
    /** Nothing goes back to the host's own. */
    setStack: (app: App, stack: string | undefined): void => properties.set(scopeOf(app), stackName, stack),
  };
}

function scopeOf(app: App): string {
  return `app:${app.id}`;
}
