import { WherryError } from '../domain/errors.ts';
import { networkKey, networkProperties, networksKey, parseNetworkName } from '../domain/network.ts';
import { networksOf } from '../networks.ts';
import { type ArgKind, asText } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { header, keyValues } from './lines.ts';

/** A name of a network. */
export const networkName: ArgKind<string> = {
  word: 'network',
  required: true,
  schema: { type: 'string' },
  parse: value => parseNetworkName(asText(value, 'network')),
};

/** @throws not-found */
export function requireNetwork(context: Context, name: string): void {
  if (networks(context).includes(name)) return;
  throw new WherryError('not-found', `Network ${name} does not exist.`, { hint: `network:create ${name}` });
}

const create = defineCommand({
  name: 'network:create',
  summary: 'Create a network, on which apps reach each other by name',
  description:
    'Apps are apart unless they share a network. On one, an app is known as APP (its web processes), APP.TYPE and APP.TYPE.INDEX; put it there with network:attach.',
  examples: ['network:create backend'],
  args: { name: networkName },
  access: 'admin',
  effect: 'write',
  run(context, input) {
    const before = networks(context);
    if (before.includes(input.name))
      throw new WherryError('conflict', `Network ${input.name} exists already.`, {
        hint: `network:info ${input.name}`,
      });
    context.store.properties.setList('global', networksKey, [...before, input.name].sort());
    context.progress.step(`Creating network ${input.name}`);
    return { name: input.name, created: true };
  },
  text: () => [],
});

const destroy = defineCommand({
  name: 'network:destroy',
  summary: 'Destroy a network that no app is on any more',
  examples: ['network:destroy backend --force'],
  args: { name: networkName },
  access: 'admin',
  effect: 'write',
  confirm: (_context, input) => ({
    warning: `This command will destroy network ${input.name}.`,
    word: input.name,
  }),
  run(context, input) {
    requireNetwork(context, input.name);
    const [first] = users(context, input.name);
    if (first !== undefined)
      throw new WherryError('conflict', `${first} is on network ${input.name}.`, {
        hint: first.startsWith('App ')
          ? `network:detach ${first.slice('App '.length)} ${input.name}`
          : 'network:set --global PROPERTY',
      });
    const left = networks(context).filter(name => name !== input.name);
    context.store.properties.setList('global', networksKey, left);
    context.progress.step(`Destroying network ${input.name}`);
    return { name: input.name, destroyed: true };
  },
  text: () => [],
});

const list = defineCommand({
  name: 'network:list',
  summary: 'List the networks that apps may share',
  examples: ['network:list', 'network:list --format json'],
  args: {},
  access: 'admin',
  effect: 'read',
  run: context => networks(context).map(name => about(context, name)),
  text: found => [header('Networks'), ...found.map(({ Name }) => Name)],
});

const exists = defineCommand({
  name: 'network:exists',
  summary: 'Tell by the exit status whether a network exists: 0 or 1',
  examples: ['network:exists backend'],
  args: { name: networkName },
  access: 'admin',
  effect: 'read',
  run: (context, input) => ({ name: input.name, exists: networks(context).includes(input.name) }),
  text: found => [found.exists ? 'Network exists' : 'Network does not exist'],
  exit: found => (found.exists ? 0 : 1),
});

const info = defineCommand({
  name: 'network:info',
  summary: 'Show a network, and the apps that are on it',
  examples: ['network:info backend', 'network:info backend --format json'],
  args: { name: networkName },
  access: 'admin',
  effect: 'read',
  run(context, input) {
    requireNetwork(context, input.name);
    return about(context, input.name);
  },
  text: found => [
    header(`${found.Name} network information`),
    ...keyValues(
      Object.entries(found).map(
        ([key, value]) => [key, Array.isArray(value) ? value.join(' ') : String(value)] as const,
      ),
    ),
  ],
});

export const networkCommands = [create, destroy, list, exists, info];

function networks({ store }: Context): readonly string[] {
  return store.properties.list('global', networksKey);
}

/** In docker's words, as scripts read them. */
function about(context: Context, name: string) {
  const apps = context.store.apps.list().filter(app => networksOf(context.store, app).all.includes(name));
  return {
    Name: name,
    Driver: 'bridge',
    Scope: 'local',
    Internal: false,
    IPv6: false,
    Apps: apps.map(app => app.name),
  };
}

/** Apps that name it, and all of them if the setting for all does. */
function users({ store }: Context, name: string): string[] {
  const forAll = networkProperties.some(property =>
    store.properties.list('global', networkKey(property)).includes(name),
  );
  const apps = store.apps.list().filter(app => networksOf(store, app).all.includes(name));
  return [...(forAll ? ['The setting for all apps'] : []), ...apps.map(app => `App ${app.name}`)];
}
