import { parseBuildDir } from '../build/build-dir.ts';
import type { App } from '../domain/app.ts';
import { parseBuilderName } from '../domain/builder.ts';
import { asText, choice, optional, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { defineReport } from './report.ts';

const parsers = { 'build-dir': parseBuildDir, selected: parseBuilderName } as const;
const properties = ['build-dir', 'selected'] as const;

const set = defineCommand({
  name: 'builder:set',
  summary: 'Set or, without a value, unset how an app is built',
  description:
    'build-dir: the folder of the repository that is the app, for several apps in one. selected: the builder, instead of the one that fits. Both take effect with the next build.',
  examples: [
    'builder:set blog build-dir apps/web',
    'builder:set blog build-dir',
    'builder:set blog selected buildpacks',
  ],
  args: { app, property: choice('property', properties), value: optional(text('value')) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const given = input.value === undefined ? '' : asText(input.value, 'value');
    const value = given === '' ? undefined : parsers[input.property](given);
    context.store.properties.set(`app:${owner.id}`, `builder-${input.property}`, value);
    const words =
      value === undefined ? `Unsetting ${input.property}` : `Setting ${input.property} to ${value}`;
    context.progress.header(words);
    tell(context, owner, 'builder', words);
    return { app: owner.name, [input.property]: value ?? null };
  },
  text: () => [],
});

const report = defineReport({
  name: 'builder:report',
  summary: 'Show how one app or all are built',
  examples: ['builder:report blog', 'builder:report blog --builder-build-dir'],
  title: 'builder',
  prefix: 'builder-',
  values: (context, each) => ({
    'build-dir': property(context, each, 'build-dir'),
    'computed-build-dir': property(context, each, 'build-dir'),
    selected: property(context, each, 'selected'),
    'computed-selected': property(context, each, 'selected') || 'what fits',
  }),
});

export const builderCommands = [set, report];

function property(context: Context, each: App, name: (typeof properties)[number]): string {
  return context.store.properties.get(`app:${each.id}`, `builder-${name}`) ?? '';
}
