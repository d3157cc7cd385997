import { defineCommand } from './define.ts';
import { app } from './kinds.ts';

const urls = defineCommand({
  name: 'urls',
  summary: 'Print the addresses of an app',
  examples: ['urls blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const port = context.httpPort();
    const suffix = port === 80 ? '' : `:${port}`;
    return context.store.domains.list(context.app(input.app)).map(domain => `http://${domain}${suffix}`);
  },
  text: found => found,
});

export const urlsCommands = [urls];
