import { formatBytes } from '../domain/bytes.ts';
import { optional } from './args.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';

export const cleanup = defineCommand({
  name: 'cleanup',
  summary: 'Delete releases that need not be kept, and layers that nothing holds',
  description:
    'Wherry does so itself after each deploy. Nothing that runs, or that can be rolled back to, is touched.',
  examples: ['cleanup', 'cleanup blog'],
  args: { app: optional(app) },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const apps = input.app === undefined ? context.apps() : [context.app(input.app)];
    context.progress.step('Cleaning up...');
    const before = context.room.report().free;
    await context.deployer.cleanup(apps);
    return { freed: Math.max(0, context.room.report().free - before) };
  },
  text: ({ freed }) => [`       Freed ${formatBytes(freed)}`],
});
