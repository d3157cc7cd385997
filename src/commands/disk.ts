import type { AppDisk } from '../build/disk-use.ts';
import { formatBytes } from '../domain/bytes.ts';
import { optional } from './args.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';
import { columns, header, heading } from './lines.ts';

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
    const apps = input.app === undefined ? context.store.apps.list() : [context.app(input.app)];
    const found: Record<string, AppDisk & { total: number }> = {};
    for (const each of apps) {
      const use = await context.disk.app(each);
      found[each.name] = { ...use, total: use.layers + use.repository + use.logs + use.builds };
    }
    return { apps: found, shared: await context.disk.host() };
  },
  text({ apps, shared }) {
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
    ];
  },
});

export const diskCommands = [report];
