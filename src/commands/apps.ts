import { WherryError } from '../domain/errors.ts';
import { clone } from './apps-clone.ts';
import { appsLockCommands } from './apps-lock.ts';
import { rename } from './apps-rename.ts';
import { appsReport } from './apps-report.ts';
import { appsSet } from './apps-set.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app, newApp } from './kinds.ts';
import { header } from './lines.ts';
import { aList, aRecord, aSwitch, aText } from './results.ts';

const create = defineCommand({
  name: 'apps:create',
  summary: 'Create an app',
  description:
    'A push to an app that does not exist creates it too. The app gets the domain APP.DOMAIN and one web process.',
  examples: ['apps:create blog'],
  args: { app: newApp },
  access: 'admin',
  effect: 'write',
  result: aRecord({ app: aText, domains: aList(aText) }),
  async run(context, input) {
    if (context.store.apps.find(input.app))
      throw new WherryError('invalid', 'Name is already taken', { hint: `apps:report ${input.app}` });
    context.progress.step(`Creating ${input.app}...`);
    const made = context.deployer.create(input.app, context.actor);
    // Visitors are told that nothing is deployed yet, not that there is no such app.
    await context.deployer.applyRoutes();
    return { app: made.name, domains: context.store.domains.list(made) };
  },
  text: () => [],
});

const destroy = defineCommand({
  name: 'apps:destroy',
  summary: 'Destroy an app with its releases, config and logs',
  description: 'Asks for the name of the app on standard input unless --force is given.',
  examples: ['apps:destroy blog --force'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  confirm: (context, input) => ({
    warning: `This command will destroy app ${context.app(input.app).name}.`,
    word: input.app,
  }),
  result: aRecord({ app: aText, destroyed: aSwitch }),
  async run(context, input) {
    context.progress.step(`Destroying ${input.app}`);
    await context.deployer.destroy(context.app(input.app), doing(context));
    return { app: input.app, destroyed: true };
  },
  text: () => [],
});

const list = defineCommand({
  name: 'apps:list',
  summary: 'List all apps',
  examples: ['apps:list', 'apps:list --quiet', 'apps:list --format json'],
  args: {},
  access: { app: 'read' },
  effect: 'read',
  result: aList(aText),
  run(context) {
    const names = context.apps().map(each => each.name);
    if (names.length === 0) context.progress.warn("You haven't deployed any applications yet");
    return names;
  },
  text: names => (names.length === 0 ? [] : [header('My Apps'), ...names]),
});

const exists = defineCommand({
  name: 'apps:exists',
  summary: 'Tell by the exit status whether an app exists: 0 or 20',
  examples: ['apps:exists blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  result: aRecord({ app: aText, exists: aSwitch }),
  run: (context, input) => ({ app: context.app(input.app).name, exists: true }),
  text: () => [],
});

export const appsCommands = [
  ...[create, destroy, list, exists, clone, rename, appsReport],
  ...appsLockCommands,
  appsSet,
];
