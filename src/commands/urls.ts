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

export const urlsCommands = [urls];
