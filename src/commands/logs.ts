import { WherryError } from '../domain/errors.ts';
import { type ArgKind, asText, flag, integer, optional, shown, text, toggle } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { app, duration } from './kinds.ts';
import { logsFailed } from './logs-failed.ts';
import { logsReport, logsSet } from './logs-set.ts';
import { shownLogs } from './shown-logs.ts';

const usualLines = 100;
const mostLines = 100_000;

type Since = { readonly ago: number } | { readonly at: Date };

/** `15m`, or a time as `2026-01-31T12:00:00Z`. */
const since: ArgKind<Since> = {
  word: 'time',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const given = asText(value, 'time');
    if (/^\d+(ms|s|m|h|d)?$/.test(given)) return { ago: duration.parse(given) };
    const at = new Date(given);
    if (/^\d{4}-\d\d-\d\d/.test(given) && !Number.isNaN(at.getTime())) return { at };
    throw new WherryError(
      'invalid',
      `${shown(given)} is no time. Give for example 15m, 2h or 2026-01-31T12:00:00Z.`,
    );
  },
};

const logs = defineCommand({
  name: 'logs',
  summary: 'Show the output of an app, and what Wherry did to it',
  description: `Lines of all instances, merged by time; those of instances that are gone too. The last ${usualLines}, or with --since all from then on, at most ${mostLines}. -q prints the text alone. What a terminal would obey is taken out, colours too unless logs:set colors keeps them.`,
  examples: [
    'logs blog',
    'logs blog -t',
    'logs blog -n 20 -p web',
    'logs -q blog',
    'logs blog --since 15m --grep ERROR',
  ],
  args: { app },
  flags: {
    num: flag(optional(integer('lines', { min: 0, max: mostLines })), { help: 'how many lines', short: 'n' }),
    ps: flag(optional(text('process')), { help: 'only this process (web) or instance (web.1)', short: 'p' }),
    tail: toggle({ help: 'go on with new lines', short: 't' }),
    since: flag(optional(since), { help: 'only from then on: 15m, 2h, or a time' }),
    grep: flag(optional(text('text')), { help: 'only lines that hold this text' }),
  },
  access: { app: 'read' },
  effect: 'read',
  stream: true,
  exact: true,
  run(context, input) {
    const owner = context.app(input.app);
    const { runtime, store, signal } = context;
    if (!store.releases.live(owner) && runtime.instances(owner).length === 0)
      throw new WherryError('failed', `App ${owner.name} has not been deployed`);
    return shownLogs(context, owner, {
      lines: input.num ?? (input.since ? mostLines : usualLines),
      follow: input.tail,
      signal,
      ...(input.ps === undefined ? {} : { type: input.ps }),
      ...(input.since === undefined ? {} : { since: momentOf(context, input.since) }),
      ...(input.grep === undefined ? {} : { contains: input.grep }),
    });
  },
  text: line => [{ text: `${line.at.toISOString()} app[${line.dyno}]: ${line.text}`, quiet: line.text }],
});

function momentOf({ clock }: Context, moment: Since): Date {
  return 'at' in moment ? moment.at : new Date(clock.now().getTime() - moment.ago);
}

export const logsCommands = [logs, logsFailed, logsSet, logsReport];
