import { parseRepositoryPath } from '../build/build-dir.ts';
import { asText, choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';

const property = 'builder-dockerfile-path';

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
  run(context, input) {
    const owner = input.app === undefined ? undefined : context.app(input.app);
    const given = input.value === undefined ? '' : asText(input.value, 'value');
    const value = given === '' ? undefined : parseRepositoryPath(given);
    context.store.properties.set(owner ? `app:${owner.id}` : 'global', property, value);
    const words =
      value === undefined ? `Unsetting ${input.property}` : `Setting ${input.property} to ${value}`;
    context.progress.header(words);
    if (owner) tell(context, owner, 'builder', words);
    return { app: owner?.name ?? null, [input.property]: value ?? null };
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
    'dockerfile-path': store.properties.get(`app:${id}`, property) ?? '',
    'global-dockerfile-path': store.properties.get('global', property) ?? 'Dockerfile',
    'computed-dockerfile-path': store.properties.resolve(id, property) ?? 'Dockerfile',
  }),
});

export const builderDockerfileCommands = [set, report];
