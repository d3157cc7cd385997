import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import {
  type NetworkProperty,
  networkKey,
  networkProperties,
  parseNetworkName,
  parseNetworkTld,
} from '../domain/network.ts';
import { networksOf } from '../networks.ts';
import { type ArgKind, asList, asText, choice } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app, appOrGlobal } from './kinds.ts';
import { networkName, requireNetwork } from './network.ts';
import { defineReport } from './report.ts';
import { settingWords } from './set-property.ts';

const properties = [...networkProperties, 'tld', 'bind-all-interfaces', 'static-web-listener'] as const;
type Property = (typeof properties)[number];

/** `backend`, `backend cache`, `backend,cache`. */
const values: ArgKind<readonly string[]> = {
  word: 'value',
  required: false,
  rest: true,
  schema: { type: 'array', items: { type: 'string' } },
  parse: value =>
    value === undefined
      ? []
      : asList(value).flatMap(word =>
          asText(word, 'value')
            .split(/[\s,]+/)
            .filter(each => each !== ''),
        ),
};

const set = defineCommand({
  name: 'network:set',
  summary: 'Set or, without a value, unset which networks an app is on',
  description:
    'attach-post-create: networks that its instances reach before they start; attach-post-deploy: those that they join once they are up; initial-network: one more, as attach-post-create. What runs joins and leaves at once, without a restart. Names of an instance lead to it from the moment it is up until it is to go. tld: a further end of its names, as in blog.web.internal.',
  examples: [
    'network:set blog attach-post-create backend',
    'network:set blog attach-post-deploy backend cache',
    'network:set blog initial-network',
    'network:set --global tld internal',
  ],
  args: { app: appOrGlobal, property: choice('property', properties), values },
  access: 'admin',
  effect: 'write',
  async run(context, input) {
    const { property } = input;
    const owner = input.app === undefined ? undefined : context.app(input.app);
    const scope = owner === undefined ? 'global' : `app:${owner.id}`;
    const given = parsed(context, property, input.values);
    if (isOfNetworks(property)) context.store.properties.setList(scope, networkKey(property), given);
    else if (property === 'tld') context.store.properties.set(scope, networkKey('tld'), given[0]);
    const words = settingWords(property, given.length === 0 ? undefined : given.join(' '));
    context.progress.header(words);
    if (owner) tell(context, owner, 'network', words);
    await reconnect(context, owner);
    return { app: owner?.name ?? null, [property]: given };
  },
  text: () => [],
});

const attach = defineCommand({
  name: 'network:attach',
  summary: 'Put an app on a network, at once and for all its instances to come',
  description: 'As network:set APP attach-post-create with one more network.',
  examples: ['network:attach blog backend'],
  args: { app, network: networkName },
  access: 'admin',
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    requireNetwork(context, input.network);
    const { all } = networksOf(context.store, owner);
    if (!all.includes(input.network)) {
      const key = networkKey('attach-post-create');
      const own = context.store.properties.list(`app:${owner.id}`, key);
      context.store.properties.setList(`app:${owner.id}`, key, [...own, input.network]);
      tell(context, owner, 'network', `Attached to network ${input.network}`);
    }
    context.progress.step(`Attaching ${owner.name} to network ${input.network}`);
    await reconnect(context, owner);
    return { app: owner.name, networks: networksOf(context.store, owner).all };
  },
  text: () => [],
});

const detach = defineCommand({
  name: 'network:detach',
  summary: 'Take an app off a network, at once',
  examples: ['network:detach blog backend'],
  args: { app, network: networkName },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const { store } = context;
    if (!networksOf(store, owner).all.includes(input.network))
      throw new WherryError('not-found', `App ${owner.name} is not on network ${input.network}.`, {
        hint: `network:report ${owner.name}`,
      });
    for (const property of networkProperties) {
      const own = store.properties.list(`app:${owner.id}`, networkKey(property));
      const left = own.filter(name => name !== input.network);
      store.properties.setList(`app:${owner.id}`, networkKey(property), left);
    }
    if (networksOf(store, owner).all.includes(input.network))
      throw new WherryError(
        'conflict',
        `App ${owner.name} is on network ${input.network} by what holds for all apps, or by an option of docker.`,
        { hint: `network:report ${owner.name}, docker-options:report ${owner.name}` },
      );
    tell(context, owner, 'network', `Detached from network ${input.network}`);
    context.progress.step(`Detaching ${owner.name} from network ${input.network}`);
    await reconnect(context, owner);
    return { app: owner.name, networks: networksOf(store, owner).all };
  },
  text: () => [],
});

const [rebuild, rebuildall] = [
  defineCommand({
    name: 'network:rebuild',
    summary: 'Bring an app’s instances onto its networks again; every change does so by itself',
    examples: ['network:rebuild blog'],
    args: { app },
    access: { app: 'write' },
    effect: 'write',
    async run(context, input) {
      await reconnect(context, context.app(input.app));
      return { app: input.app };
    },
    text: () => [],
  }),
  defineCommand({
    name: 'network:rebuildall',
    summary: 'Bring the instances of all apps onto their networks again',
    examples: ['network:rebuildall'],
    args: {},
    access: 'admin',
    effect: 'write',
    async run(context) {
      await reconnect(context, undefined);
      return { apps: context.store.apps.list().map(({ name }) => name) };
    },
    text: () => [],
  }),
];

const report = defineReport({
  name: 'network:report',
  summary: 'Show which networks one app or all are on',
  examples: ['network:report blog', 'network:report blog --network-computed-attach-post-create'],
  title: 'network',
  prefix: 'network-',
  values(context, each) {
    const stored = (scope: string, property: NetworkProperty | 'tld') =>
      property === 'tld'
        ? (context.store.properties.get(scope, networkKey(property)) ?? '')
        : context.store.properties.list(scope, networkKey(property)).join(' ');
    const names = [...networkProperties, 'tld'] as const;
    return {
      ...Object.fromEntries(
        names.flatMap(name => [
          [name, stored(`app:${each.id}`, name)],
          [`global-${name}`, stored('global', name)],
          [`computed-${name}`, stored(`app:${each.id}`, name) || stored('global', name)],
        ]),
      ),
      'bind-all-interfaces': 'false',
      'computed-bind-all-interfaces': 'false',
      'static-web-listener': '',
      networks: networksOf(context.store, each).all.join(' '),
    };
  },
});

export const networkSetCommands = [set, attach, detach, rebuild, rebuildall, report];

function isOfNetworks(property: Property): property is NetworkProperty {
  return networkProperties.some(each => each === property);
}

function parsed(context: Context, property: Property, words: readonly string[]): readonly string[] {
  if (property === 'bind-all-interfaces' || property === 'static-web-listener') {
    if (words.length === 0 || words.join() === 'false') return [];
    throw new WherryError(
      'invalid',
      `${property} means nothing here: only the edge and apps on a shared network reach instances. Map ports with ports:add.`,
    );
  }
  if (words.length > 1 && (property === 'tld' || property === 'initial-network'))
    throw new WherryError('invalid', `${property} takes one value. Leave out the others.`);
  if (property === 'tld') return words.map(parseNetworkTld);
  const names = [...new Set(words.map(parseNetworkName))];
  for (const name of names) requireNetwork(context, name);
  return names;
}

/** Of one app, or of all. */
async function reconnect({ runtime, store }: Context, owner: App | undefined): Promise<void> {
  const apps = owner === undefined ? store.apps.list() : [owner];
  await Promise.all(apps.map(each => runtime.reconnect(each)));
}
