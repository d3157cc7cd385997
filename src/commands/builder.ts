import { parseBuildDir } from '../build/build-dir.ts';
import { type BuiltBy, builtBy } from '../build/built-by.ts';
import type { App } from '../domain/app.ts';
import { parseBuilderName } from '../domain/builder.ts';
import { choice, optional, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingDone } from './set-property.ts';

const parsers = { 'build-dir': parseBuildDir, selected: parseBuilderName } as const;
const properties = ['build-dir', 'selected'] as const;

const set = defineCommand({
  name: 'builder:set',
  summary: 'Set or, without a value, unset how an app is built',
  description:
    'For one app or, with --global, for all that have none of their own. build-dir: the folder of the repository that is the app, for several apps in one. selected: the builder (buildpacks, also as herokuish or pack, or dockerfile) instead of the one that fits. Both take effect with the next build.',
  examples: [
    'builder:set blog build-dir apps/web',
    'builder:set blog build-dir',
    'builder:set blog selected buildpacks',
    'builder:set --global selected dockerfile',
  ],
  args: { app: appOrGlobal, property: choice('property', properties), value: optional(text('value')) },
  access: { app: 'write' },
  effect: 'write',
  result: settingDone,
  run(context, input) {
    const { app, property } = input;
    const value = input.value ? parsers[property](input.value) : undefined;
    return setProperty(context, { app, property, key: `builder-${property}`, value, event: 'builder' });
  },
  text: () => [],
});

const report = defineReport({
  name: 'builder:report',
  summary: 'Show how one app or all are built, and what built the live release',
  description:
    'selected and build-dir: what was set for the app, for all apps (global) and what holds (computed). detected: what built the live release: buildpacks, dockerfile, or image for one that was loaded; nothing before the first.',
  examples: ['builder:report blog', 'builder:report blog --builder-detected'],
  title: 'builder',
  prefix: 'builder-',
  values(context, each) {
    const found = builtLast(context, each);
    return {
      ...Object.fromEntries(properties.flatMap(name => valuesOf(context, each, name))),
      detected: found?.builder ?? '',
      'detected-buildpacks': found?.buildpacks.join(',') ?? '',
    };
  },
});

export const builderCommands = [set, report];

function valuesOf({ store }: Context, { id }: App, name: (typeof properties)[number]): [string, string][] {
  const key = `builder-${name}`;
  return [
    [name, store.properties.get(`app:${id}`, key) ?? ''],
    [`computed-${name}`, store.properties.resolve(id, key) ?? ''],
    [`global-${name}`, store.properties.get('global', key) ?? ''],
  ];
}

function builtLast({ store }: Context, app: App): BuiltBy | undefined {
  const live = store.releases.live(app);
  const image = live && store.images.get(live.image);
  return image && builtBy(image);
}
