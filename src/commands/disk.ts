import type { AppDisk } from '../build/disk-use.ts';
import { formatBytes } from '../domain/bytes.ts';
import {
  type DiskProperty,
  diskProperties,
  diskPropertyName,
  parseDiskBudget,
  parseReserve,
} from '../domain/disk-budget.ts';
import { choice, optional, text } from './args.ts';
import { defineCommand } from './define.ts';
import { app, globalOnly } from './kinds.ts';
import { columns, header, heading } from './lines.ts';
import { settingWords } from './set-property.ts';

const report = defineCommand({
  name: 'disk:report',
  summary: 'Show what each app takes on the disk, and what they share',
  description:
    'As du counts it. What several apps use is shown with each that uses it, and once with what is shared; the cache serves all of the host.',
  examples: ['disk:report', 'disk:report blog --format json'],
  args: { app: optional(app) },
  access: { app: 'read' },
  effect: 'read',
  async run(context, input) {
    const apps = input.app === undefined ? context.apps() : [context.app(input.app)];
    const found: Record<string, AppDisk & { total: number }> = {};
    for (const each of apps) {
      const use = await context.disk.app(each);
      found[each.name] = { ...use, total: use.layers + use.repository + use.logs + use.builds };
    }
    return { apps: found, shared: await context.disk.host(), ...context.room.report() };
  },
  text({ apps, shared, budget, reserve, free }) {
    const rows = Object.entries(apps).map(([name, use]) => [
      name,
      ...[use.total, use.layers, use.sharedLayers, use.repository, use.logs, use.builds].map(formatBytes),
    ]);
    const [head = '', ...lines] = columns([
      ['app', 'own', 'layers', 'shared layers', 'repository', 'logs', 'builds'],
      ...rows,
    ]);
    return [
      header('Apps'),
      heading(head),
      ...lines,
      header('Shared'),
      ...columns([
        ['cache', formatBytes(shared.cache)],
        ['layers', formatBytes(shared.layers)],
        ['database', formatBytes(shared.database)],
      ]),
      header('Host'),
      ...columns([
        ['free', formatBytes(free)],
        ['budget', budget],
        ['reserve', reserve],
      ]),
    ];
  },
});

const everywhere = globalOnly('The disk is bounded for all apps together. Say --global.');

const parsers = { budget: parseDiskBudget, reserve: parseReserve } as const;

const set = defineCommand({
  name: 'disk:set',
  summary: 'Set or, without a value, unset how much of the disk is used',
  description: `budget: what Wherry may take, as 20g, or how full the file system may be, as 80%, or none; ${diskProperties.budget} unless set. Above it goes what can be made again: leftovers, shared layers unused for a day, caches of apps, releases but for the newest two of each app. reserve: what must be free for a build to begin; ${diskProperties.reserve} unless set.`,
  examples: ['disk:set --global budget 80%', 'disk:set --global budget 20g', 'disk:set --global reserve'],
  args: {
    scope: everywhere,
    property: choice('property', Object.keys(diskProperties) as DiskProperty[]),
    value: optional(text('value')),
  },
  access: 'owner',
  effect: 'write',
  run(context, input) {
    const value = input.value || undefined;
    if (value !== undefined) parsers[input.property](value);
    context.store.properties.set('global', diskPropertyName(input.property), value);
    context.progress.header(settingWords(input.property, value));
    return { [input.property]: value ?? null };
  },
  text: () => [],
});

export const diskCommands = [report, set];
