import type { App } from '../domain/app.ts';
import { checkDockerOption, phases, readRunOptions } from '../domain/docker-option.ts';
import {
  type OptionPlace,
  optionsAt,
  setOptionsAt,
  typesWithOptions,
} from '../domain/docker-option-place.ts';
import { WherryError } from '../domain/errors.ts';
import { optional } from './args.ts';
import { mayAll } from './authorise.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { nameOf, option, phaseList, placesOf, process } from './docker-option-args.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { header } from './lines.ts';
import { requireNetwork } from './network.ts';
import { defineReport } from './report.ts';

/** Most options of one phase. */
const mostOptions = 100;

const kinds =
  "The phases are build, deploy and run, by commas. For the build by a Dockerfile: --build-arg NAME=VALUE, or --build-arg NAME for the app's config value of that name; --target, --label, --no-cache, --pull. For instances of the app (deploy) and for one-off commands and cron (run), from the next deploy or restart on: -v NAME:/PATH and --mount for storage, --tmpfs, --shm-size, --read-only, --memory, --cpus and --storage-opt size= where resource:limit says nothing, --ulimit below what the host gives, --env, --label, --hostname, --add-host, --network, --user by number, --workdir, --restart where ps:set says nothing. --cap-drop, --init and --rm are so anyway. What reaches out of the container is refused; for the rest the error names the command that does it.";

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
    'docker-options:add --process worker blog deploy --shm-size 256m',
  ],
  args: { app, phases: phaseList, option },
  flags: { process },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const places = placesOf(input);
    for (const place of places) {
      checkDockerOption(input.option, place.phase);
      if (place.phase !== 'build') await checkNamed(context, owner, { place, option: input.option });
    }
    for (const place of places) {
      const before = optionsOf(context, owner, place);
      if (before.includes(input.option)) continue;
      if (before.length >= mostOptions)
        throw new WherryError(
          'invalid',
          `App ${owner.name} has ${mostOptions} options for ${nameOf(place)}, the most there may be. Remove one.`,
        );
      save(context, owner, { ...place, options: [...before, input.option] });
    }
    await context.runtime.reconnect(owner);
    tell(context, owner, 'docker-options', `Added an option for ${places.map(nameOf).join(', ')}`);
    return { app: owner.name, phases: input.phases };
  },
  text: () => [],
});

const remove = defineCommand({
  name: 'docker-options:remove',
  summary: 'Remove an option of docker from an app, written as it was added',
  examples: [
    'docker-options:remove blog build --build-arg NODE_VERSION=20',
    'docker-options:remove --process worker blog deploy --shm-size 256m',
  ],
  args: { app, phases: phaseList, option },
  flags: { process },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const places = placesOf(input);
    for (const place of places) {
      const before = optionsOf(context, owner, place);
      if (!before.includes(input.option))
        context.progress.warn(`App ${owner.name} has no such option for ${nameOf(place)}`);
      save(context, owner, { ...place, options: before.filter(each => each !== input.option) });
    }
    await context.runtime.reconnect(owner);
    tell(context, owner, 'docker-options', `Removed an option for ${places.map(nameOf).join(', ')}`);
    return { app: owner.name, phases: input.phases };
  },
  text: () => [],
});

const clear = defineCommand({
  name: 'docker-options:clear',
  summary: 'Remove all options of docker from an app, or those of some phases',
  examples: [
    'docker-options:clear blog',
    'docker-options:clear blog build,deploy',
    'docker-options:clear --process worker blog deploy',
  ],
  args: { app, phases: optional(phaseList) },
  flags: { process },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const cleared = input.phases ?? (input.process ? ['deploy'] : phases);
    const places = placesOf({ phases: cleared, process: input.process });
    for (const place of input.process ? places : withTypes(context, owner, places))
      save(context, owner, { ...place, options: [] });
    const words = `Clearing docker-options for ${owner.name} on ${places.map(nameOf).join(', ')}`;
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
  examples: ['docker-options:list blog build', 'docker-options:list --process worker blog deploy'],
  args: { app, phases: optional(phaseList) },
  flags: { process },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const owner = context.app(input.app);
    const listed = input.phases ?? (input.process ? ['deploy'] : phases);
    const places = placesOf({ phases: listed, process: input.process });
    const shown = input.process || input.phases ? places : withTypes(context, owner, places);
    return Object.fromEntries(shown.map(place => [nameOf(place), optionsOf(context, owner, place)] as const));
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
    Object.fromEntries(
      withTypes(context, each, placesOf({ phases })).map(place => [
        nameOf(place),
        optionsOf(context, each, place).join(' '),
      ]),
    ),
});

export const dockerOptionsCommands = [add, remove, clear, list, report];

/** What an option names must be there and free, or the next deploy would find out. @throws access-denied, not-found, conflict */
async function checkNamed(
  context: Context,
  owner: App,
  { place, option }: { readonly place: OptionPlace; readonly option: string },
): Promise<void> {
  const { networks, mounts, tmpfs, restart } = readRunOptions([option]);
  if (place.type !== undefined && (networks.length > 0 || restart !== undefined))
    throw new WherryError(
      'invalid',
      'Networks and the restart policy are of all process types of an app. Leave out --process.',
    );
  // As for network:attach and storage:mount.
  if ((networks.length > 0 || mounts.length > 0) && !mayAll(context.actor, 'admin', context.store))
    throw new WherryError(
      'access-denied',
      'Access denied: networks and storage are shared with other apps. Ask an admin of all apps.',
    );
  for (const name of networks) requireNetwork(context, name);
  for (const { source } of mounts) await context.volumes.require(source);
  const beside =
    place.type === undefined ? withTypes(context, owner, [place]) : [{ phase: place.phase }, place];
  const other = beside.flatMap(each => optionsOf(context, owner, each)).filter(text => text !== option);
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

/** With what process types have of their own. */
function withTypes(context: Context, owner: App, places: readonly OptionPlace[]): readonly OptionPlace[] {
  if (!places.some(({ phase }) => phase === 'deploy')) return places;
  const types = typesWithOptions(context.store.properties, `app:${owner.id}`);
  return [...places, ...types.map(type => ({ phase: 'deploy', type }) as const)];
}

function optionsOf({ store }: Context, owner: App, place: OptionPlace): readonly string[] {
  return optionsAt(store.properties, `app:${owner.id}`, place);
}

function save(
  { store }: Context,
  owner: App,
  placed: OptionPlace & { readonly options: readonly string[] },
): void {
  setOptionsAt(store.properties, `app:${owner.id}`, placed);
}
