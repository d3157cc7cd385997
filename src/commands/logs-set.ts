import { logSizeKey, parseLogSize, usualLogSize } from '../domain/upkeep.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty } from './set-property.ts';

const property = 'max-size';

export const logsSet = defineCommand({
  name: 'logs:set',
  summary: 'Set or, without a value, unset how much output is kept',
  description: `max-size: of each instance, 64k to 1g (${usualLogSize} unless set); beyond it the file is begun anew. It holds for instances that are started from then on. The files of the last 20 that are gone are kept.`,
  examples: ['logs:set blog max-size 50m', 'logs:set --global max-size', 'logs:set blog max-size'],
  args: { app: appOrGlobal, property: choice('property', [property]), value: optional(text('value')) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const value = input.value || undefined;
    if (value !== undefined) parseLogSize(value);
    return setProperty(context, { app: input.app, property, key: logSizeKey, value, event: 'logs' });
  },
  text: () => [],
});

export const logsReport = defineReport({
  name: 'logs:report',
  summary: 'Show how much output is kept of one app or all',
  examples: ['logs:report blog', 'logs:report blog --logs-computed-max-size'],
  title: 'logs',
  prefix: 'logs-',
  values: ({ store }, { id }) => ({
    'max-size': store.properties.get(`app:${id}`, logSizeKey) ?? '',
    'global-max-size': store.properties.get('global', logSizeKey) ?? '',
    'computed-max-size': store.properties.resolve(id, logSizeKey) ?? usualLogSize,
  }),
});
