import { defineCommand } from './define.ts';
import { app } from './kinds.ts';

const urls = defineCommand({
  name: 'urls',
  summary: 'Print the addresses of an app',
  examples: ['urls blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run: (context, input) => context.urls(context.app(input.app)),
  text: found => found,
});

const url = defineCommand({
  name: 'url',
  summary: 'Print the first address of an app',
  description: 'Exit status 1 and no output when it has none.',
  examples: ['url blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run: (context, input) => context.urls(context.app(input.app))[0] ?? null,
  text: found => (found === null ? [] : [found]),
  exit: found => (found === null ? 1 : 0),
});

export const urlsCommands = [urls, url];
