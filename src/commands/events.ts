import { flag, integer, optional, withDefault } from './args.ts';
import { defineCommand } from './define.ts';
import { anyApp } from './kinds.ts';

const events = defineCommand({
  name: 'events',
  summary: 'Show what happened: deploys, scales, limits, kills, restarts',
  description: 'Of one app, or of all. Oldest first.',
  examples: ['events', 'events blog -n 20'],
  args: { app: optional(anyApp) },
  flags: {
    num: flag(withDefault(integer('events', { min: 1, max: 10_000 }), 100), { help: 'how many', short: 'n' }),
  },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const found = context.store.events.list({ app: input.app, limit: input.num });
    // An app that is gone keeps its events; one of which nothing is known is a typing mistake.
    if (input.app !== undefined && found.length === 0) context.app(input.app);
    return found.map(({ at, app: name, kind, message, actor }) => ({
      at: at.toISOString(),
      app: name,
      kind,
      message,
      actor,
    }));
  },
  text: found =>
    found.map(event => {
      const by = event.actor === null ? '' : ` (${event.actor})`;
      return `${event.at} ${event.app ?? '-'} ${event.kind}: ${event.message}${by}`;
    }),
});

export const eventsCommands = [events];
