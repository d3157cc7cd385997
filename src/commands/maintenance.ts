import { maintenanceKey } from '../domain/error-page.ts';
import type { AppName } from '../domain/names.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';
import { defineReport } from './report.ts';
import { setProperty } from './set-property.ts';

const enable = defineCommand({
  name: 'maintenance:enable',
  summary: 'Answer all requests for an app with a page that says it is down for maintenance',
  description:
    'Its processes go on running; what is in flight is answered. It is not woken meanwhile. The page is yours with error-pages:set <app> maintenance.',
  examples: ['maintenance:enable blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) => turn(context, input.app, 'true'),
  text: () => [],
});

const disable = defineCommand({
  name: 'maintenance:disable',
  summary: 'Let requests through to an app again',
  examples: ['maintenance:disable blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) => turn(context, input.app, undefined),
  text: () => [],
});

const report = defineReport({
  name: 'maintenance:report',
  summary: 'Show whether one app or all are down for maintenance',
  examples: ['maintenance:report', 'maintenance:report blog --maintenance-enabled'],
  title: 'maintenance',
  prefix: 'maintenance-',
  values: ({ store }, each) => ({
    enabled: store.properties.get(`app:${each.id}`, maintenanceKey) ?? 'false',
  }),
});

export const maintenanceCommands = [enable, disable, report];

async function turn(context: Context, name: AppName, value: 'true' | undefined) {
  const done = setProperty(context, {
    app: name,
    property: 'maintenance',
    key: maintenanceKey,
    value,
    event: 'maintenance',
  });
  await context.deployer.applyRoutes();
  return done;
}
