import { optional, text } from '../commands/args.ts';
import { appFor, seesApp } from '../commands/authorise.ts';
import type { Context } from '../commands/context.ts';
import { type Command, defineCommand } from '../commands/define.ts';
import { tell } from '../commands/doing.ts';
import { appOrGlobal } from '../commands/kinds.ts';
import { noPasswordWord, readPassword } from '../commands/password.ts';
import { defineReport } from '../commands/report.ts';
import { setProperty } from '../commands/set-property.ts';
import { WherryError } from '../domain/errors.ts';
import { type AppName, parseAppName } from '../domain/names.ts';
import type { PluginCommand, PluginDefinition, PluginSetting } from './api.ts';

type Settings = NonNullable<PluginDefinition['settings']>;

import { secretIsSet, settingKey, settingOf, shownSetting } from './settings.ts';
import type { CommandTools, Tools } from './tools.ts';

/** Everything that a plugin brings to the registry. */
export function commandsOf(definition: PluginDefinition, tools: Tools): readonly Command[] {
  const { commands = [], settings, report } = definition;
  return [
    ...commands.map(command => lend(command, { tools, namespace: definition.name })),
    ...(settings ? [setCommand(definition, settings)] : []),
    ...(settings || report ? [reportCommand(definition, tools)] : []),
  ];
}

/** The command as the registry wants it, given a plugin's tools in place of all of Wherry. */
function lend(command: PluginCommand, { tools, namespace }: { tools: Tools; namespace: string }): Command {
  const given = (context: Context): CommandTools => ({
    ...tools,
    // Those that whoever asks may see; others are not there.
    apps: () => context.apps().map(app => tools.app(app.name)),
    hasApp: name => tools.hasApp(name) && seesApp(context.actor, parseAppName(name), context.store),
    app: name => tools.app(appFor(context.actor, { app: 'read' }, parseAppName(name), context.store).name),
    note: (app, message) =>
      app === null
        ? tools.note(app, message)
        : tell(context, context.app(parseAppName(app)), namespace, message),
    readPassword: hint => readPassword(context, hint),
    ...{ actor: context.actor, progress: context.progress, signal: context.signal, force: context.force },
  });
  const { run, confirm } = command;
  return {
    ...command,
    run: (context, input) => run.call(command, given(context), input),
    ...(confirm
      ? { confirm: (context: Context, input) => confirm.call(command, given(context), input) }
      : {}),
  } as Command;
}

function setCommand(definition: PluginDefinition, settings: Settings): Command {
  const { name } = definition;
  const keys = Object.keys(settings);
  const plain = keys.find(key => !settings[key]?.secret);
  const hidden = keys.find(key => settings[key]?.secret);
  // One word may be meant for standard input.
  const word = optional(text('value'));
  const value: typeof word = hidden === undefined ? word : { ...word, secret: 'all' };
  return defineCommand({
    name: `${name}:set`,
    summary: `Set or, without a value, unset a property of ${name}`,
    description: [
      ...Object.entries(settings).map(([key, { help }]) => `${key}: ${help}.`),
      ...(hidden === undefined ? [] : [`${listed(settings)} on standard input, and unset by an empty word.`]),
    ].join(' '),
    examples: [
      ...(plain === undefined ? [] : [`${name}:set blog ${plain}`]),
      ...(hidden === undefined ? [] : [`${name}:set blog ${hidden}`]),
    ],
    args: { app: appOrGlobal, property: text('property'), value },
    access: { app: 'write' },
    effect: 'write',
    stdin: true,
    async run(context, input) {
      const { property } = input;
      const setting = Object.hasOwn(settings, property) ? settings[property] : undefined;
      if (!setting)
        throw new WherryError(
          'invalid',
          `Invalid property specified, valid properties include: ${keys.join(', ')}`,
        );
      if (input.app === undefined && !setting.global)
        throw new WherryError('invalid', 'Property cannot be specified globally');
      if (setting.secret) return await setSecret(context, { name, setting, ...input });
      return setProperty(context, {
        app: input.app,
        property,
        key: settingKey(name, property),
        value: input.value === undefined || input.value === '' ? undefined : setting.parse(input.value),
        event: name,
      });
    },
    text: () => [],
  });
}

function listed(settings: Settings): string {
  const keys = Object.keys(settings).filter(key => settings[key]?.secret);
  return keys.length === 1 ? `${keys[0]} is given` : `${keys.join(' and ')} are given`;
}

type Secret = {
  readonly name: string;
  readonly app: AppName | undefined;
  readonly property: string;
  readonly value: string | undefined;
  readonly setting: PluginSetting;
};

/** A word would be seen by every user of the client's host, so it comes on standard input. */
async function setSecret(context: Context, { name, app, property, value, setting }: Secret) {
  const owner = app === undefined ? undefined : context.app(app);
  const line = `${name}:set ${app ?? '--global'} ${property} < file`;
  if (value !== undefined && value !== '') noPasswordWord(line).parse(value);
  const secret = value === '' ? undefined : setting.parse(await readPassword(context, line));
  context.store.pluginSecrets.set({ plugin: name, name: property }, owner, secret);
  const words = secret === undefined ? `Unsetting ${property}` : `Setting ${property}`;
  context.progress.header(words);
  if (owner) tell(context, owner, name, words);
  return { app: owner?.name ?? null, [property]: secret === undefined ? null : secretIsSet };
}

/** Raw, global and computed values of every setting, and what the plugin says itself. */
function reportCommand(definition: PluginDefinition, tools: Tools): Command {
  const { name, settings = {} } = definition;
  const keys = Object.keys(settings);
  const everywhere = keys.filter(key => settings[key]?.global);
  return defineReport({
    name: `${name}:report`,
    summary: `Show what ${name} is set to for one app or all`,
    examples: [`${name}:report`, `${name}:report blog`],
    title: name,
    prefix: `${name}-`,
    values({ store }, each) {
      const own = (key: string) => shownSetting(store, definition, { key, app: each });
      const all = (key: string) => shownSetting(store, definition, { key, app: undefined });
      const computed = (key: string) =>
        settings[key]?.secret
          ? own(key) || all(key)
          : (settingOf(store, definition, { key, app: each }) ?? '');
      return {
        ...Object.fromEntries(keys.map(key => [key, own(key)])),
        ...Object.fromEntries(everywhere.map(key => [`global-${key}`, all(key)])),
        ...Object.fromEntries(everywhere.map(key => [`computed-${key}`, computed(key)])),
        ...definition.report?.(tools, each.name),
      };
    },
  });
}
