import { WherryError } from '../domain/errors.ts';
import { toggle } from './args.ts';
import { bundle } from './config-bundle.ts';
import { clear, set, unset } from './config-change.ts';
import { exportCommand } from './config-export.ts';
import { importCommand } from './config-import.ts';
import { configOf, merged, secretKeysOf, shownConfig } from './config-owner.ts';
import { configReport } from './config-report.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal, configKey } from './kinds.ts';
import { header, keyValues } from './lines.ts';
import { aList, aMap, aText, orNull } from './results.ts';

const get = defineCommand({
  name: 'config:get',
  summary: 'Print the value of one config variable',
  description: 'Exit status 1 and no output when it is not set, 21 when it is write-only.',
  examples: ['config:get blog NODE_ENV', 'config:get --global TZ', 'config:get --merged blog TZ'],
  args: { app: appOrGlobal, key: configKey },
  flags: { quoted: toggle({ help: 'quoted for a shell' }), merged },
  access: { app: 'deploy' },
  effect: 'read',
  exact: true,
  result: orNull(aText),
  run(context, input) {
    const config = configOf(context, input);
    if (secretKeysOf(context, input).includes(input.key))
      throw new WherryError(
        'access-denied',
        `${input.key} is write-only: it can be set again or unset, and nobody can read it.`,
      );
    return Object.hasOwn(config, input.key) ? (config[input.key] ?? null) : null;
  },
  text: (value, input) =>
    value === null ? [] : [input.quoted ? `'${value.replaceAll("'", "'\\''")}'` : value],
  exit: value => (value === null ? 1 : 0),
});

const show = defineCommand({
  name: 'config:show',
  aliases: ['config'],
  summary: 'Show all config variables of an app, or those of all apps',
  description: 'Three stars stand for a value that is write-only.',
  examples: ['config:show blog', 'config blog', 'config:show --global', 'config:show --merged blog'],
  args: { app: appOrGlobal },
  flags: { merged },
  access: { app: 'deploy' },
  effect: 'read',
  result: aMap(aText),
  run: shownConfig,
  text: (values, input) => [
    header(`${input.app ?? 'global'} env vars`),
    ...keyValues(Object.entries(values)),
  ],
});

const keys = defineCommand({
  name: 'config:keys',
  summary: 'Print the names of the config variables of an app, or of all',
  description: 'With --secret, of those alone that are write-only.',
  examples: ['config:keys blog', 'config:keys --global', 'config:keys --merged blog'],
  args: { app: appOrGlobal },
  flags: { merged, secret: toggle({ help: 'write-only ones alone' }) },
  access: { app: 'read' },
  effect: 'read',
  result: aList(aText),
  run: (context, input) =>
    input.secret ? secretKeysOf(context, input) : Object.keys(configOf(context, input)),
  text: names => names,
});

export const configCommands = [
  set,
  unset,
  clear,
  get,
  show,
  keys,
  exportCommand,
  importCommand,
  bundle,
  configReport,
];
