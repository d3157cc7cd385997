import type { App } from '../domain/app.ts';
import {
  checkDockerOption,
  dockerOptionsKey,
  type Phase,
  phases,
  readRunOptions,
} from '../domain/docker-option.ts';
import { WherryError } from '../domain/errors.ts';
import { type ArgKind, asList, asText, optional, shown } from './args.ts';
import { mayAll } from './authorise.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { header } from './lines.ts';
import { requireNetwork } from './network.ts';
import { defineReport } from './report.ts';

/** Most options of one phase. */
const mostOptions = 100;

/** `build`, `build,deploy`. */
const phaseList: ArgKind<readonly Phase[]> = {
  word: 'phase(s)',
  required: true,
  schema: { type: 'string' },
  parse: value =>
    asText(value, 'phase(s)')
      .split(',')
      .map(name => {
        const found = phases.find(phase => phase === name);
        if (found) return found;
        throw new WherryError(
          'invalid',
          `Phase(s) must be one of [${phases.join('|')}], not ${shown(name)}.`,
        );
      }),
};

/** One option as docker has it, kept word by word; words with blanks are quoted again. */
const option: ArgKind<string> = {
  word: 'option',
  secret: 'assigned',
  required: true,
  rest: true,
  verbatim: true,
  schema: { type: 'string' },
  parse(value) {
    const words = asList(value).map(word => asText(word, 'option'));
    if (words.length === 1) return words[0]?.trim() ?? '';
    return words.map(word => (/[\s'"\\]/.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : word)).join(' ');
  },
};

const kinds =
  "The phases are build, deploy and run, by commas. For the build by a Dockerfile: --build-arg NAME=VALUE, or --build-arg NAME for the app's config value of that name; --target, --label, --no-cache, --pull. For instances of the app (deploy) and for one-off commands and cron (run), from the next deploy or restart on: -v NAME:/PATH and --mount for storage, --tmpfs, --shm-size, --read-only, --memory and --cpus where resource:limit says nothing, --ulimit below what the host gives, --env, --label, --hostname, --add-host, --network, --user by number, --workdir, --restart where ps:set says nothing. --cap-drop, --init and --rm are so anyway. What reaches out of the container is refused; for the rest the error names the command that does it.";

const add = defineCommand({
  name: 'docker-options:add',
  summary: 'Add an option of docker to what an app is built or run with',
  description: kinds,
  examples: [
    'docker-options:add blog build --build-arg NODE_VERSION=20',
    'docker-options:add blog build --build-arg NPM_TOKEN',
    'docker-options:add blog build --target=web',
    'docker-options:add blog deploy,run -v uploads:/data',
    'docker-options:add blog deploy --read-only',
  ],
  args: { app, phases: phaseList, option },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    for (const phase of input.phases) {
      checkDockerOption(input.option, phase);
      if (phase !== 'build') await checkNamed(context, owner, { phase, option: input.option });
    }
    for (const phase of input.phases) {
      const before = optionsOf(context, owner, phase);
      if (before.includes(input.option)) continue;
      if (before.length >= mostOptions)
        throw new WherryError(
          'invalid',
          `App ${owner.name} has ${mostOptions} options for ${phase}, the most there may be. Remove one.`,
        );
      save(context, owner, phase, [...before, input.option]);
    }
    await context.runtime.reconnect(owner);
    tell(context, owner, 'docker-options', `Added an option for ${input.phases.join(', ')}`);
    return { app: owner.name, phases: input.phases };
  },
  text: () => [],
});

const remove = defineCommand({
  name: 'docker-options:remove',
  summary: 'Remove an option of docker from an app, written as it was added',
  examples: ['docker-options:remove blog build --build-arg NODE_VERSION=20'],
  args: { app, phases: phaseList, option },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    for (const phase of input.phases) {
      const before = optionsOf(context, owner, phase);
      if (!before.includes(input.option))
        context.progress.warn(`App ${owner.name} has no such option for ${phase}`);
      save(
        context,
        owner,
        phase,
        before.filter(each => each !== input.option),
      );
    }
    await context.runtime.reconnect(owner);
    tell(context, owner, 'docker-options', `Removed an option for ${input.phases.join(', ')}`);
    return { app: owner.name, phases: input.phases };
  },
  text: () => [],
});

const clear = defineCommand({
  name: 'docker-options:clear',
  summary: 'Remove all options of docker from an app, or those of some phases',
  examples: ['docker-options:clear blog', 'docker-options:clear blog build,deploy'],
  args: { app, phases: optional(phaseList) },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const cleared = input.phases ?? phases;
    for (const phase of cleared) save(context, owner, phase, []);
    const words = `Clearing docker-options for ${owner.name} on ${cleared.join(', ')}`;
    await context.runtime.reconnect(owner);
    context.progress.step(words);
    tell(context, owner, 'docker-options', words);
    return { app: owner.name, phases: cleared };
  },
  text: () => [],
});

const list = defineCommand({
  name: 'docker-options:list',
  summary: 'List the options of docker that an app has for a phase, one a line',
  examples: ['docker-options:list blog build'],
  args: { app, phases: optional(phaseList) },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const owner = context.app(input.app);
    return Object.fromEntries(
      (input.phases ?? phases).map(phase => [phase, optionsOf(context, owner, phase)] as const),
    );
  },
  text: result =>
    Object.entries(result).flatMap(([phase, options]) => [
      ...(Object.keys(result).length > 1 ? [header(phase)] : []),
      ...options,
    ]),
});

const report = defineReport({
  name: 'docker-options:report',
  summary: 'Show the options of docker of one app or all',
  examples: ['docker-options:report blog', 'docker-options:report blog --docker-options-build'],
  title: 'docker options',
  prefix: 'docker-options-',
  values: (context, each) =>
    Object.fromEntries(phases.map(phase => [phase, optionsOf(context, each, phase).join(' ')])),
});

export const dockerOptionsCommands = [add, remove, clear, list, report];

/** What an option names must be there and free, or the next deploy would find out. @throws access-denied, not-found, conflict */
async function checkNamed(
  context: Context,
  owner: App,
  { phase, option }: { readonly phase: Phase; readonly option: string },
): Promise<void> {
  const { networks, mounts, tmpfs } = readRunOptions([option]);
  // As for network:attach and storage:mount.
  if ((networks.length > 0 || mounts.length > 0) && !mayAll(context.actor, 'admin', context.store))
    throw new WherryError(
      'access-denied',
      'Access denied: networks and storage are shared with other apps. Ask an admin of all apps.',
    );
  for (const name of networks) requireNetwork(context, name);
  for (const { source } of mounts) await context.volumes.require(source);
  const other = optionsOf(context, owner, phase).filter(text => text !== option);
  const before = readRunOptions(other);
  const taken = [...context.volumes.list(owner), ...before.mounts, ...before.tmpfs].map(
    ({ target }) => target,
  );
  const twice = [...mounts, ...tmpfs].find(({ target }) => taken.includes(target));
  if (twice)
    throw new WherryError('conflict', `Something is mounted at ${twice.target} already.`, {
      hint: `storage:list ${owner.name}, docker-options:list ${owner.name}`,
    });
}

function optionsOf({ store }: Context, owner: App, phase: Phase): readonly string[] {
  return store.properties.list(`app:${owner.id}`, dockerOptionsKey(phase));
}

function save({ store }: Context, owner: App, phase: Phase, options: readonly string[]): void {
  store.properties.setList(`app:${owner.id}`, dockerOptionsKey(phase), options);
}
