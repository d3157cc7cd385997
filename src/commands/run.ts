import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { parseConfigKey } from '../domain/names.ts';
import type { Desired, OneOff } from '../runtime/runtime.ts';
import type { ArgKind } from './args.ts';
import { asList, asText, flag, optional, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app, asConfigValue } from './kinds.ts';
import { columns } from './lines.ts';
import { shownLogs } from './shown-logs.ts';

/** All words that are left, whatever they begin with. */
const command: ArgKind<readonly string[]> = {
  word: 'command',
  secret: 'rest',
  required: true,
  rest: true,
  verbatim: true,
  schema: { type: 'array', items: { type: 'string' }, minItems: 1 },
  parse: value => asList(value).map(word => asText(word, 'command')),
};

const env = flag(optional({ ...text('KEY=VALUE,...'), secret: 'values' }), {
  help: 'variables of this run alone, by commas',
  short: 'e',
});

const about =
  'A word that names a process of the Procfile runs its command; one word with blanks or shell signs in it is run by sh. The config of now is its environment, its limit that of the process run.';

const run = defineCommand({
  name: 'run',
  summary: 'Run a command in an instance of its own, with your terminal or pipes; its exit status is yours',
  description: `${about} The instance is new and ends with the command. With ssh -t it gets a terminal.`,
  examples: ['run blog rails db:migrate', 'run blog node -e 1', 'run -e DEBUG=1 blog worker'],
  args: { app, command },
  flags: { env },
  access: { app: 'deploy' },
  effect: 'read',
  acts: true,
  tty: true,
  stdin: true,
  async run(context, input) {
    const owner = context.app(input.app);
    const desired = deployed(context, owner);
    tell(context, owner, 'run', `Ran ${input.command[0]}`);
    const status = await context.runtime.run(desired, {
      ...oneOff(context, desired, input),
      streams: context.takeStreams(),
    });
    return { app: owner.name, status };
  },
  text: () => [],
  exit: ({ status }) => status,
});

const detached = defineCommand({
  name: 'run:detached',
  summary: 'Run a command in an instance of its own, and leave it to itself',
  description: `${about} Its output is in the log of the app: run:logs.`,
  examples: ['run:detached blog rake report'],
  args: { app, command },
  flags: { env },
  access: { app: 'deploy' },
  effect: 'read',
  acts: true,
  async run(context, input) {
    const owner = context.app(input.app);
    const desired = deployed(context, owner);
    const dyno = await context.runtime.runDetached(desired, oneOff(context, desired, input));
    tell(context, owner, 'run', `Runs ${input.command[0]} as ${dyno}`);
    return { app: owner.name, name: dyno };
  },
  text: ({ name }) => [name],
});

const list = defineCommand({
  name: 'run:list',
  summary: 'List the one-off instances of an app that run',
  examples: ['run:list blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run: async (context, input) =>
    (await context.runtime.oneOffs(context.app(input.app))).map(each => ({
      name: each.dyno,
      command: each.command,
      since: each.since.toISOString(),
      detached: each.detached,
    })),
  text: found =>
    columns(
      found.map(each => [each.name, each.since, each.detached ? 'detached' : 'attached', each.command]),
    ),
});

const logs = defineCommand({
  name: 'run:logs',
  summary: 'Show the output of one-off instances of an app, or of one',
  examples: ['run:logs blog', 'run:logs blog run.1234'],
  args: { app, name: optional(text('name')) },
  access: { app: 'read' },
  effect: 'read',
  stream: true,
  exact: true,
  run: (context, input) =>
    shownLogs(context, context.app(input.app), {
      ...{ lines: 1000, follow: false, signal: context.signal },
      type: input.name ?? 'run',
    }),
  text: line => [{ text: `${line.at.toISOString()} app[${line.dyno}]: ${line.text}`, quiet: line.text }],
});

const stop = defineCommand({
  name: 'run:stop',
  summary: 'End a one-off instance of an app',
  examples: ['run:stop blog run.1234'],
  args: { app, name: text('name') },
  access: { app: 'deploy' },
  effect: 'read',
  acts: true,
  async run(context, input) {
    const owner = context.app(input.app);
    await context.runtime.stopOneOff(owner, input.name);
    tell(context, owner, 'run', `Stopped ${input.name}`);
    return { app: owner.name, stopped: input.name };
  },
  text: () => [],
});

const enter = defineCommand({
  name: 'enter',
  summary: 'Run a command, or a shell, inside an instance that runs',
  description:
    'The first web instance unless one is named, as worker or worker.2. Use ssh -t for a terminal. What it changes is gone with the instance.',
  examples: ['enter blog', 'enter blog worker.2', 'enter blog web ls -la'],
  args: { app, process: optional(text('process')), command: optional(command) },
  access: { app: 'deploy' },
  effect: 'read',
  acts: true,
  tty: true,
  stdin: true,
  async run(context, input) {
    const owner = context.app(input.app);
    const { process = 'web' } = input;
    const dyno = process.includes('.') ? process : `${process}.1`;
    const { entrypoint = [] } = context.deployer.desired(owner)?.image ?? {};
    tell(context, owner, 'run', `Entered ${dyno}`);
    const status = await context.runtime.enter(owner, dyno, {
      argv: [...entrypoint, ...(input.command ? inShell(input.command) : shell)],
      streams: context.takeStreams(),
      signal: context.signal,
    });
    return { app: owner.name, status };
  },
  text: () => [],
  exit: ({ status }) => status,
});

export const runCommands = [run, detached, list, logs, stop, enter];

/** The best that there is, found by the one that every image with a shell has. */
const shell = ['/bin/sh', '-c', 'exec "$(command -v bash || echo sh)"'];

/** As it would be deployed now: with the config of now. */
function deployed({ deployer, store }: Context, owner: App): Desired {
  const desired = deployer.desired(owner);
  if (!desired) throw new WherryError('failed', `App ${owner.name} has not been deployed`);
  return { ...desired, config: store.config.merged(owner) };
}

function oneOff(
  context: Context,
  { image }: Desired,
  input: { command: readonly string[]; env: string | undefined },
): OneOff {
  const [first, ...rest] = input.command;
  const named = image.processes.find(({ type }) => type === first);
  return {
    argv: named ? [...named.command, ...rest] : inShell(input.command),
    env: variables(input.env),
    signal: context.signal,
  };
}

/** One word that only a shell understands is given to one. */
function inShell(words: readonly string[]): readonly string[] {
  const [only = ''] = words;
  return words.length === 1 && /[\s|&;<>()$`"'*?[\]#~=%]/.test(only) ? ['/bin/sh', '-c', only] : words;
}

function variables(words: string | undefined): Record<string, string> {
  const pairs = words === undefined ? [] : words.split(/,(?=[A-Za-z_]\w*=)/);
  return Object.fromEntries(
    pairs.map(pair => {
      const at = pair.indexOf('=');
      const key = parseConfigKey(at < 0 ? pair : pair.slice(0, at));
      if (at < 0) throw new WherryError('invalid', `${key} has no value. Write ${key}=VALUE.`);
      return [key, asConfigValue(key, pair.slice(at + 1))];
    }),
  );
}
