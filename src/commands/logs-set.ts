import { logViewKey, parseLogView } from '../domain/log-view.ts';
import { logSizeKey, parseLogSize, usualLogSize } from '../domain/upkeep.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty, settingDone } from './set-property.ts';

const parsers = {
  'max-size': parseLogSize,
  colors: (value: string) => parseLogView('colors', value),
  redact: (value: string) => parseLogView('redact', value),
} as const;
type Property = keyof typeof parsers;
const properties = Object.keys(parsers) as Property[];

const keyOf = (property: Property): string => (property === 'max-size' ? logSizeKey : logViewKey(property));

export const logsSet = defineCommand({
  name: 'logs:set',
  summary: 'Set or, without a value, unset how much output is kept and how it is shown',
  description: `max-size: of each instance, 64k to 1g (${usualLogSize} unless set); beyond it the file is begun anew. It holds for instances that are started from then on. The files of the last 20 that are gone are kept. colors true: colours of the app's stay in what logs shows; all else that a terminal obeys never does. redact true: values of config, of 6 characters or more, are shown as [masked].`,
  examples: [
    'logs:set blog max-size 50m',
    'logs:set --global max-size',
    'logs:set blog max-size',
    'logs:set blog redact true',
  ],
  args: { app: appOrGlobal, property: choice('property', properties), value: optional(text('value')) },
  access: { app: 'write' },
  effect: 'write',
  result: settingDone,
  run(context, input) {
    const { app, property } = input;
    const value = input.value || undefined;
    if (value !== undefined) parsers[property](value);
    return setProperty(context, { app, property, key: keyOf(property), value, event: 'logs' });
  },
  text: () => [],
});

export const logsReport = defineReport({
  name: 'logs:report',
  summary: 'Show how much output is kept of one app or all, and how it is shown',
  examples: ['logs:report blog', 'logs:report blog --logs-computed-max-size'],
  title: 'logs',
  prefix: 'logs-',
  values: ({ store }, { id }) => ({
    'max-size': store.properties.get(`app:${id}`, logSizeKey) ?? '',
    'global-max-size': store.properties.get('global', logSizeKey) ?? '',
    'computed-max-size': store.properties.resolve(id, logSizeKey) ?? usualLogSize,
    'computed-colors': store.properties.resolve(id, logViewKey('colors')) ?? 'false',
    'computed-redact': store.properties.resolve(id, logViewKey('redact')) ?? 'false',
  }),
});
