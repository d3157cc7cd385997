import { WherryError } from '../domain/errors.ts';
import { flag, integer, optional, text, toggle, withDefault } from './args.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';

const logs = defineCommand({
  name: 'logs',
  summary: 'Show the output of an app, and what Wherry did to it',
  description: 'Lines of all instances, merged by time. -q prints the text alone.',
  examples: ['logs blog', 'logs blog -t', 'logs blog -n 20 -p web', 'logs -q blog'],
  args: { app },
  flags: {
    num: flag(withDefault(integer('lines', { min: 0, max: 100_000 }), 100), {
      help: 'how many lines',
      short: 'n',
    }),
    ps: flag(optional(text('process')), { help: 'only this process (web) or instance (web.1)', short: 'p' }),
    tail: toggle({ help: 'go on with new lines', short: 't' }),
  },
  access: { app: 'read' },
  effect: 'read',
  stream: true,
  run(context, input) {
    const owner = context.app(input.app);
    const { runtime, store, signal } = context;
    if (!store.releases.live(owner) && runtime.instances(owner).length === 0)
      throw new WherryError('failed', `App ${owner.name} has not been deployed`);
    return runtime.logs(owner, {
      lines: input.num,
      follow: input.tail,
      signal,
      ...(input.ps === undefined ? {} : { type: input.ps }),
    });
  },
  text: line => [{ text: `${line.at.toISOString()} app[${line.dyno}]: ${line.text}`, quiet: line.text }],
});

export const logsCommands = [logs];
