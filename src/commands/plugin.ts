import type { PluginView } from '../plugin/plugin.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { domain, globalOnly } from './kinds.ts';
import { columns, detail, header } from './lines.ts';
import { settingWords } from './set-property.ts';

const plugin = text('plugin');
const word = text('value');

const list = defineCommand({
  name: 'plugin:list',
  summary: 'List all plugins and whether they are enabled',
  examples: ['plugin:list', 'plugin:list --format json'],
  args: {},
  access: 'owner',
  effect: 'read',
  run: context => context.plugins.list(),
  text: plugins => [
    header('Plugins'),
    ...columns(plugins.map(({ name, status, origin, summary }) => [name, status, origin, summary])),
  ],
});

const enable = defineCommand({
  name: 'plugin:enable',
  summary: 'Let a plugin take part, with its commands, hooks and service',
  examples: ['plugin:enable webhooks'],
  args: { plugin },
  access: 'owner',
  effect: 'write',
  async run(context, input) {
    const view = await context.plugins.enable(input.plugin);
    context.progress.step(`Plugin ${view.name} is enabled`);
    return view;
  },
  text: () => [],
});

const disable = defineCommand({
  name: 'plugin:disable',
  summary: 'Let a plugin take part no more',
  description: 'What it has set for apps stays as it is, a page or a redirect too.',
  examples: ['plugin:disable webhooks'],
  args: { plugin },
  access: 'owner',
  effect: 'write',
  async run(context, input) {
    const view = await context.plugins.disable(input.plugin);
    context.progress.step(`Plugin ${view.name} is disabled`);
    return view;
  },
  text: () => [],
});

const install = defineCommand({
  name: 'plugin:install',
  summary: 'Install a plugin from a folder of this host or from npm, and enable it',
  description:
    'Its code becomes part of Wherry and may do whatever Wherry may, so trust its author. No script of a package runs. A package is NAME or NAME@VERSION.',
  examples: ['plugin:install /srv/plugins/greet', 'plugin:install wherry-greet@1.2.0'],
  args: { source: text('folder or package') },
  access: 'owner',
  effect: 'write',
  async run({ plugins, settings, signal, progress }, input) {
    progress.step(`Installing ${input.source}`);
    const view = await plugins.install(input.source, { signal, caFile: settings.caFile });
    progress.step(`Plugin ${view.name} ${view.version ?? ''} is enabled`);
    return view;
  },
  text: () => [],
});

const uninstall = defineCommand({
  name: 'plugin:uninstall',
  summary: 'Delete a plugin that was installed',
  description: 'What it has set for apps stays as it is.',
  examples: ['plugin:uninstall greet'],
  args: { plugin },
  access: 'owner',
  effect: 'write',
  async run({ plugins, progress }, input) {
    await plugins.uninstall(input.plugin);
    progress.step(`Plugin ${input.plugin} is uninstalled`);
    return { plugin: input.plugin, uninstalled: true };
  },
  text: () => [],
});

const set = defineCommand({
  name: 'plugin:set',
  summary: 'Set or, without a value, unset the domain where plugins answer requests',
  description:
    'domain: a host name that leads here and is of no app. A plugin that takes requests answers at https://DOMAIN/PLUGIN/. Give the host a certificate with certs:add --global.',
  examples: ['plugin:set --global domain hooks.example.org', 'plugin:set --global domain'],
  args: {
    scope: globalOnly('Property cannot be specified for one app. Say --global.'),
    property: choice('property', ['domain']),
    value: optional(word),
  },
  access: 'owner',
  effect: 'write',
  async run({ plugins, progress }, input) {
    const host = input.value === undefined || input.value === '' ? undefined : domain.parse(input.value);
    await plugins.setDomain(host);
    progress.header(settingWords(input.property, host));
    return { domain: host ?? null };
  },
  text: () => [],
});

const report = defineCommand({
  name: 'plugin:report',
  summary: 'Show what one plugin or all take part in, and what they failed at',
  description: 'Failures are counted since the daemon began; events shows when.',
  examples: ['plugin:report', 'plugin:report maintenance'],
  args: { plugin: optional(plugin) },
  access: 'owner',
  effect: 'read',
  run({ plugins }, input): readonly PluginView[] {
    return input.plugin === undefined ? plugins.list() : [plugins.view(input.plugin)];
  },
  text: views => views.flatMap(section),
});

export const pluginCommands = [list, enable, disable, install, uninstall, set, report];

function section(view: PluginView) {
  const { last_failure: last } = view;
  const rows = [
    ['Plugin status:', view.status],
    ['Plugin origin:', view.origin],
    ['Plugin version:', view.version ?? ''],
    ['Plugin hooks:', view.hooks.join(' ')],
    ['Plugin commands:', view.commands.join(' ')],
    ['Plugin failures:', String(view.failures)],
    ['Plugin last failure:', last ? `${last.at} ${last.where}: ${last.message}` : ''],
    ...(view.unusable === null ? [] : [['Plugin unusable:', view.unusable]]),
  ];
  return [header(`${view.name} plugin information`), ...columns(rows).map(detail)];
}
