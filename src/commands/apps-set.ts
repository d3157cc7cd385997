import { noAutocreation } from '../deploy/push-handler.ts';
import { choice, optional } from './args.ts';
import { defineCommand } from './define.ts';
import { globalOnly } from './kinds.ts';
import { settingWords } from './set-property.ts';

export const appsSet = defineCommand({
  name: 'apps:set',
  summary: 'Set or, without a value, unset whether a push may create an app',
  description:
    'disable-autocreation true: a push to an app that does not exist is refused. The daemon’s --autocreate false does the same, and cannot be undone here.',
  examples: ['apps:set --global disable-autocreation true', 'apps:set --global disable-autocreation'],
  args: {
    scope: globalOnly('Property cannot be specified for one app. Say --global.'),
    property: choice('property', [noAutocreation]),
    value: optional(choice('value', ['true', 'false', ''])),
  },
  access: 'admin',
  effect: 'write',
  run(context, input) {
    const value = input.value || undefined;
    context.store.properties.set('global', input.property, value);
    context.progress.header(settingWords(input.property, value));
    return { [input.property]: value ?? null };
  },
  text: () => [],
});
