import { parseRepositoryPath } from '../build/build-dir.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingDone } from './set-property.ts';

const key = 'builder-dockerfile-path';

const set = defineCommand({
  name: 'builder-dockerfile:set',
  summary: "Set or, without a value, unset where an app's Dockerfile is",
  description:
    'dockerfile-path: the file inside the repository, below build-dir if there is one; Dockerfile unless set. The folder that is copied from stays the root of the app. Takes effect with the next build.',
  examples: [
    'builder-dockerfile:set blog dockerfile-path docker/web.Dockerfile',
    'builder-dockerfile:set blog dockerfile-path',
    'builder-dockerfile:set --global dockerfile-path Dockerfile.wherry',
  ],
  args: {
    app: appOrGlobal,
    property: choice('property', ['dockerfile-path']),
    value: optional(text('value')),
  },
  access: { app: 'write' },
  effect: 'write',
  result: settingDone,
  run(context, input) {
    const { app, property } = input;
    const value = input.value ? parseRepositoryPath(input.value) : undefined;
    return setProperty(context, { app, property, key, value, event: 'builder' });
  },
  text: () => [],
});

const report = defineReport({
  name: 'builder-dockerfile:report',
  summary: 'Show where the Dockerfile of one app or all is',
  examples: [
    'builder-dockerfile:report blog',
    'builder-dockerfile:report blog --builder-dockerfile-computed-dockerfile-path',
  ],
  title: 'builder-dockerfile',
  prefix: 'builder-dockerfile-',
  values: ({ store }, { id }) => ({
    'dockerfile-path': store.properties.get(`app:${id}`, key) ?? '',
    'global-dockerfile-path': store.properties.get('global', key) ?? 'Dockerfile',
    'computed-dockerfile-path': store.properties.resolve(id, key) ?? 'Dockerfile',
  }),
});

export const builderDockerfileCommands = [set, report];
