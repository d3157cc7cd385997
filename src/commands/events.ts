import { WherryError } from '../domain/errors.ts';
import type { AppName } from '../domain/names.ts';
import type { PlatformEvent } from '../store/events.ts';
import { flag, integer, optional, toggle, withDefault } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { anyApp } from './kinds.ts';
import { columns } from './lines.ts';
import { aList, anInteger, aRecord, aText, aTime, orNull } from './results.ts';

const mostEvents = 10_000;
/** Milliseconds between two looks for new ones. */
const pause = 500;

const events = defineCommand({
  name: 'events',
  summary: 'Show what happened: deploys, scales, limits, kills, restarts',
  description: 'Of one app, or of all. Oldest first. As JSON, one object a line.',
  examples: ['events', 'events blog -n 20', 'events -t'],
  args: { app: optional(anyApp) },
  flags: {
    num: flag(withDefault(integer('events', { min: 0, max: mostEvents }), 100), {
      help: 'how many',
      short: 'n',
    }),
    tail: toggle({ help: 'go on with new ones', short: 't' }),
  },
  access: { app: 'read' },
  effect: 'read',
  stream: true,
  result: aRecord({ at: aTime, app: orNull(aText), kind: aText, message: aText, actor: orNull(aText) }),
  run(context, input) {
    // An app that is gone keeps its events; one of which nothing is known is a typing mistake.
    if (input.app !== undefined && context.store.events.list({ app: input.app, limit: 1 }).length === 0)
      context.app(input.app);
    return told(context, input);
  },
  text({ at, app, kind, message, actor }) {
    const by = actor === null ? '' : ` (${actor})`;
    return [`${at} ${app ?? '-'} ${kind}: ${message}${by}`];
  },
});

const list = defineCommand({
  name: 'events:list',
  summary: 'Show which kinds of events there are, how many, and when the last was',
  examples: ['events:list'],
  args: {},
  access: 'admin',
  effect: 'read',
  result: aList(aRecord({ kind: aText, count: anInteger, last: aTime })),
  run: context =>
    context.store.events.kinds().map(({ last, ...each }) => ({ ...each, last: last.toISOString() })),
  text: kinds => columns(kinds.map(({ kind, count, last }) => [kind, String(count), last])),
});

const [on, off] = (['on', 'off'] as const).map(word =>
  defineCommand({
    name: `events:${word}`,
    summary: word === 'on' ? 'Keep events, which Wherry always does' : 'Refused: events are always kept',
    description: 'Here for scripts that call it on dokku.',
    examples: [`events:${word}`],
    args: {},
    access: 'admin',
    effect: 'read',
    run() {
      if (word === 'on') return { on: true };
      throw new WherryError(
        'invalid',
        'Events are always kept, the newest 10,000. They cannot be turned off.',
      );
    },
    text: () => [],
  }),
);

export const eventsCommands = [events, list, on, off].filter(command => command !== undefined);

async function* told(
  context: Context,
  { app, num, tail }: { app: AppName | undefined; num: number; tail: boolean },
) {
  const { store, clock, signal } = context;
  let seen = store.events.list({ limit: 1 })[0]?.id ?? 0;
  if (num > 0) for (const event of latest(context, app, num)) yield shown(event);
  while (tail && !signal.aborted) {
    try {
      await clock.sleep(pause, signal);
    } catch {
      return;
    }
    const later = store.events.after(seen);
    seen = later.at(-1)?.id ?? seen;
    for (const event of readable(context, later)) {
      if (app === undefined || event.app === app) yield shown(event);
    }
  }
}

function latest(context: Context, app: AppName | undefined, limit: number): readonly PlatformEvent[] {
  const { events } = context.store;
  if (app !== undefined || context.ofAll()) return events.list({ app, limit });
  return readable(context, events.list({ limit: mostEvents })).slice(-limit);
}

/** What is of no app, or of one that is gone, is for those who may read all. */
function readable(context: Context, events: readonly PlatformEvent[]): readonly PlatformEvent[] {
  if (context.ofAll()) return events;
  const names = new Set<string | null>(context.apps().map(({ name }) => name));
  return events.filter(({ app }) => names.has(app));
}

function shown({ at, app, kind, message, actor }: PlatformEvent) {
  return { at: at.toISOString(), app, kind, message, actor };
}
