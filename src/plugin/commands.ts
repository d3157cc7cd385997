import { optional, text } from '../commands/args.ts';
import type { Context } from '../commands/context.ts';
import { type Command, defineCommand } from '../commands/define.ts';
import { appOrGlobal } from '../commands/kinds.ts';
import { defineReport } from '../commands/report.ts';
import { setProperty } from '../commands/set-property.ts';
import { WherryError } from '../domain/errors.ts';
import type { PluginCommand, PluginDefinition } from './api.ts';
import { settingKey, settingOf } from './settings.ts';
import type { CommandTools, Tools } from './tools.ts';

/** Everything that a plugin brings to the registry. */
export function commandsOf(definition: PluginDefinition, tools: Tools): readonly Command[] {
  const { commands = [], settings, report } = definition;
  return [
    ...commands.map(command => lend(command, tools)),
    ...(settings ? [setCommand(definition, settings)] : []),
    ...(settings || report ? [reportCommand(definition, tools)] : []),
  ];
}

/** The command as the registry wants it, given a plugin's tools in place of all of Wherry. */
function lend(command: PluginCommand, tools: Tools): Command {
  const given = ({ actor, progress, signal, force }: Context): CommandTools => ({
    ...tools,
    ...{ actor, progress, signal, force },
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

function setCommand(
  { name }: PluginDefinition,
  settings: NonNullable<PluginDefinition['settings']>,
): Command {
  const keys = Object.keys(settings);
  const [first = ''] = keys;
  return defineCommand({
    name: `${name}:set`,
    summary: `Set or, without a value, unset a property of ${name}`,
    description: Object.entries(settings)
      .map(([key, { help }]) => `${key}: ${help}.`)
      .join(' '),
    examples: [`${name}:set blog ${first}`],
    args: { app: appOrGlobal, property: text('property'), value: optional(text('value')) },
    access: { app: 'write' },
    effect: 'write',
    run(context, input) {
      const setting = Object.hasOwn(settings, input.property) ? settings[input.property] : undefined;
      if (!setting)
        throw new WherryError(
          'invalid',
          `Invalid property specified, valid properties include: ${keys.join(', ')}`,
        );
      if (input.app === undefined && !setting.global)
        throw new WherryError('invalid', 'Property cannot be specified globally');
      return setProperty(context, {
        app: input.app,
        property: input.property,
        key: settingKey(name, input.property),
        value: input.value === undefined || input.value === '' ? undefined : setting.parse(input.value),
        event: name,
      });
    },
    text: () => [],
  });
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
      const own = (key: string) => store.properties.get(`app:${each.id}`, settingKey(name, key)) ?? '';
      const all = (key: string) => store.properties.get('global', settingKey(name, key)) ?? '';
      return {
        ...Object.fromEntries(keys.map(key => [key, own(key)])),
        ...Object.fromEntries(everywhere.map(key => [`global-${key}`, all(key)])),
        ...Object.fromEntries(
          everywhere.map(key => [`computed-${key}`, settingOf(store, definition, { key, app: each }) ?? '']),
        ),
        ...definition.report?.(tools, each.name),
      };
    },
  });
}
