import type { PluginView } from '../plugin/plugin.ts';
import { optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { columns, detail, header } from './lines.ts';

const plugin = text('plugin');

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

export const pluginCommands = [list, enable, disable, report];

function section(view: PluginView) {
  const { last_failure: last } = view;
  const rows = [
    ['Plugin status:', view.status],
    ['Plugin origin:', view.origin],
    ['Plugin hooks:', view.hooks.join(' ')],
    ['Plugin commands:', view.commands.join(' ')],
    ['Plugin failures:', String(view.failures)],
    ['Plugin last failure:', last ? `${last.at} ${last.where}: ${last.message}` : ''],
    ...(view.unusable === null ? [] : [['Plugin unusable:', view.unusable]]),
  ];
  return [header(`${view.name} plugin information`), ...columns(rows).map(detail)];
}
