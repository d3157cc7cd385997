import type { App } from '../domain/app.ts';
import {
  type CheckProperty,
  checkKey,
  checkProperties,
  parseCheckSetting,
} from '../domain/check-settings.ts';
import { choice, optional, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport, type ReportValues } from './report.ts';
import { setProperty } from './set-property.ts';

const names = Object.keys(checkProperties) as CheckProperty[];

const set = defineCommand({
  name: 'checks:set',
  summary: 'Set or, without a value, unset how the health checks of an app are run',
  description:
    'attempts (3), wait (5) and timeout (5): what holds for checks of app.json that do not say so themselves, in seconds but for attempts. default-wait (1): how long a process must run that neither listens nor has checks; dokku has 10. wait-to-retire (30): how long requests in flight may keep what was replaced. All hold at once.',
  examples: ['checks:set blog wait-to-retire 60', 'checks:set blog attempts 10', 'checks:set --global wait'],
  args: { app: appOrGlobal, property: choice('property', names), value: optional(text('value')) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const { app, property } = input;
    const value = input.value || undefined;
    if (value !== undefined) parseCheckSetting(property, value);
    return setProperty(context, { app, property, key: checkKey(property), value, event: 'checks' });
  },
  text: () => [],
});

const report = defineReport({
  name: 'checks:report',
  summary: 'Show how the health checks of one app or all are run, as set and as it works out',
  examples: ['checks:report blog', 'checks:report blog --checks-computed-attempts'],
  title: 'checks',
  prefix: 'checks-',
  values: (context, app) => settings(context, app),
  global: context => settings(context),
});

export const checksCommands = [set, report];

function settings({ store }: Context, app?: App): ReportValues {
  const { properties } = store;
  return Object.fromEntries(
    names.flatMap(name => {
      const key = checkKey(name);
      const all = properties.get('global', key);
      const own = app && properties.get(`app:${app.id}`, key);
      return [
        ...(app ? [[name, own ?? '']] : []),
        [`global-${name}`, all ?? ''],
        [`computed-${name}`, own ?? all ?? String(checkProperties[name].usual)],
      ];
    }),
  );
}
