import { parseRepositoryPath } from '../build/build-dir.ts';
import { appJsonPathKey } from '../domain/app-manifest.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingDone } from './set-property.ts';

const usual = 'app.json';

const set = defineCommand({
  name: 'app-json:set',
  summary: 'Set or, without a value, unset where in its repository the app.json of an app is',
  description:
    'appjson-path: the file that is read as app.json, from the next build on. It must be there then.',
  examples: ['app-json:set blog appjson-path deploy/app.json', 'app-json:set blog appjson-path'],
  args: { app: appOrGlobal, property: choice('property', ['appjson-path']), value: optional(text('value')) },
  access: { app: 'write' },
  effect: 'write',
  result: settingDone,
  run(context, { app, property, value: given }) {
    const value = given ? parseRepositoryPath(given) : undefined;
    return setProperty(context, { app, property, key: appJsonPathKey, value, event: 'app-json' });
  },
  text: () => [],
});

const report = defineReport({
  name: 'app-json:report',
  summary: 'Show where the app.json of one app or all is, as set and as it works out',
  examples: ['app-json:report blog', 'app-json:report blog --app-json-computed-appjson-path'],
  title: 'app json',
  prefix: 'app-json-',
  values({ store: { properties } }, { id }) {
    const [own, all] = [
      properties.get(`app:${id}`, appJsonPathKey),
      properties.get('global', appJsonPathKey),
    ];
    return {
      'appjson-path': own ?? '',
      'global-appjson-path': all ?? '',
      'computed-appjson-path': own ?? all ?? usual,
    };
  },
  global({ store: { properties } }) {
    const all = properties.get('global', appJsonPathKey);
    return { 'global-appjson-path': all ?? '', 'computed-appjson-path': all ?? usual };
  },
});

export const appJsonCommands = [set, report];
