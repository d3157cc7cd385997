import type { App } from '../domain/app.ts';
import { defaultDomains, domainsDisabledKey } from '../domain/global-domains.ts';
import { many } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { domainsGlobalCommands, globalDomains } from './domains-global.ts';
import { app, domain } from './kinds.ts';
import { defineReport } from './report.ts';
import { requireFree } from './require-free.ts';
import { aList, aRecord, aText } from './results.ts';

const ofDomains = aRecord({ app: aText, domains: aList(aText) });

const add = defineCommand({
  name: 'domains:add',
  summary: 'Add domains to an app',
  description:
    'All of them or, when one belongs to another app, none. `*.example.org` takes every host below it.',
  examples: ['domains:add blog www.example.org example.org'],
  args: { app, domains: many(domain) },
  access: { app: 'write' },
  effect: 'write',
  result: ofDomains,
  async run(context, input) {
    const owner = context.app(input.app);
    const { store, progress } = context;
    requireFree(context, owner, input.domains);
    const added = store.transaction(() => input.domains.filter(each => store.domains.add(owner, each)));
    for (const each of new Set(input.domains)) {
      if (added.includes(each)) progress.step(`Added ${each} to ${owner.name}`);
      else progress.warn(`Skipping: ${each} already added to ${owner.name}`);
    }
    return applied(context, owner, added.length > 0 && `Added ${added.join(', ')}`);
  },
  text: () => [],
});

const remove = defineCommand({
  name: 'domains:remove',
  summary: 'Remove domains from an app',
  examples: ['domains:remove blog www.example.org'],
  args: { app, domains: many(domain) },
  access: { app: 'write' },
  effect: 'write',
  result: ofDomains,
  async run(context, input) {
    const owner = context.app(input.app);
    const { store, progress } = context;
    const removed = store.transaction(() => input.domains.filter(each => store.domains.remove(owner, each)));
    for (const each of new Set(input.domains)) {
      if (removed.includes(each)) progress.step(`Removed ${each} from ${owner.name}`);
      else progress.warn(`Skipping: ${each} is not a domain of ${owner.name}`);
    }
    return applied(context, owner, removed.length > 0 && `Removed ${removed.join(', ')}`);
  },
  text: () => [],
});

const set = defineCommand({
  name: 'domains:set',
  summary: 'Make these the only domains of an app',
  examples: ['domains:set blog www.example.org'],
  args: { app, domains: many(domain) },
  access: { app: 'write' },
  effect: 'write',
  result: ofDomains,
  async run(context, input) {
    const owner = context.app(input.app);
    const domains = [...new Set(input.domains)];
    requireFree(context, owner, domains);
    context.store.domains.set(owner, domains);
    context.progress.step(`Set ${domains.join(' ')} for ${owner.name}`);
    return applied(context, owner, `Set ${domains.join(', ')}`);
  },
  text: () => [],
});

const clear = defineCommand({
  name: 'domains:clear',
  summary: 'Remove all domains from an app',
  examples: ['domains:clear blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  result: ofDomains,
  async run(context, input) {
    const owner = context.app(input.app);
    context.store.domains.set(owner, []);
    context.progress.step(`Cleared domains in ${owner.name}`);
    return applied(context, owner, 'Removed all domains');
  },
  text: () => [],
});

const reset = defineCommand({
  name: 'domains:reset',
  summary: 'Make those that a new app would get the only domains of an app',
  examples: ['domains:reset blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  result: ofDomains,
  async run(context, input) {
    const owner = context.app(input.app);
    const domains = defaultDomains(owner.name, globalDomains(context));
    requireFree(context, owner, domains);
    context.store.domains.set(owner, domains);
    context.progress.step(`Reset domains of ${owner.name} to ${domains.join(' ') || 'none'}`);
    return applied(context, owner, `Reset to ${domains.join(', ') || 'none'}`);
  },
  text: () => [],
});

const enable = defineCommand({
  name: 'domains:enable',
  summary: 'Let an app answer at its domains again',
  examples: ['domains:enable blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  result: ofDomains,
  run: (context, input) => turn(context, context.app(input.app), undefined),
  text: () => [],
});

const disable = defineCommand({
  name: 'domains:disable',
  summary: 'Keep the domains of an app, and answer at none of them',
  description:
    'Visitors get the same 404 as at a host of nobody, and do not wake it. Other apps cannot take the domains meanwhile. Unlike dokku, no port of the host leads to it instead.',
  examples: ['domains:disable blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  result: ofDomains,
  run: (context, input) => turn(context, context.app(input.app), 'true'),
  text: () => [],
});

const report = defineReport({
  name: 'domains:report',
  summary: 'Show the domains of one app or all',
  examples: ['domains:report blog', 'domains:report blog --domains-app-vhosts', 'domains:report --global'],
  title: 'domains',
  prefix: 'domains-',
  values(context, each) {
    const domains = context.store.domains.list(each);
    return {
      'app-enabled': String(domains.length > 0 && isEnabled(context, each)),
      'app-vhosts': domains.join(' '),
      ...globalValues(context),
    };
  },
  global: globalValues,
});

export const domainsCommands = [
  ...[add, remove, set, clear, reset, enable, disable, report],
  ...domainsGlobalCommands,
];

function globalValues(context: Context) {
  const domains = globalDomains(context);
  return { 'global-enabled': String(domains.length > 0), 'global-vhosts': domains.join(' ') };
}

function isEnabled({ store }: Context, { id }: App): boolean {
  return store.properties.get(`app:${id}`, domainsDisabledKey) !== 'true';
}

async function turn(context: Context, owner: App, disabled: 'true' | undefined) {
  const changes = isEnabled(context, owner) === (disabled === 'true');
  context.store.properties.set(`app:${owner.id}`, domainsDisabledKey, disabled);
  const said = disabled ? 'Disabled domains' : 'Enabled domains';
  context.progress.step(`${said} of ${owner.name}`);
  return applied(context, owner, changes && said);
}

/** Tells the edge, when something changed. */
async function applied(
  context: Context,
  owner: App,
  message: string | false,
): Promise<{ app: string; domains: readonly string[] }> {
  if (message !== false) {
    tell(context, owner, 'domains', message);
    await context.deployer.applyRoutes();
    context.certifier.soon(owner);
  }
  return { app: owner.name, domains: context.store.domains.list(owner) };
}
