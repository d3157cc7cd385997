import { WherryError } from '../domain/errors.ts';
import { globalDomainsKey, readGlobalDomains } from '../domain/global-domains.ts';
import type { Domain } from '../domain/names.ts';
import { many } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { domain } from './kinds.ts';

const later = 'Apps that there are keep their domains until domains:reset.';

const set = defineCommand({
  name: 'domains:set-global',
  summary: 'Make these the only domains that new apps get a name under',
  description: `An app gets APP.DOMAIN of each, instead of the one of the daemon's setting. ${later}`,
  examples: ['domains:set-global apps.example.org'],
  args: { domains: many(domain) },
  access: 'admin',
  effect: 'write',
  run: (context, input) => change(context, [...new Set(input.domains)]),
  text: () => [],
});

const add = defineCommand({
  name: 'domains:add-global',
  summary: 'Add domains that new apps get a name under',
  description: later,
  examples: ['domains:add-global apps.example.com'],
  args: { domains: many(domain) },
  access: 'admin',
  effect: 'write',
  run: (context, input) => change(context, [...new Set([...globalDomains(context), ...input.domains])]),
  text: () => [],
});

const remove = defineCommand({
  name: 'domains:remove-global',
  summary: 'Remove domains that new apps get a name under',
  description: later,
  examples: ['domains:remove-global apps.example.com'],
  args: { domains: many(domain) },
  access: 'admin',
  effect: 'write',
  run(context, input) {
    const before = globalDomains(context);
    for (const each of input.domains)
      if (!before.includes(each)) context.progress.warn(`Skipping: ${each} is not a global domain`);
    return change(
      context,
      before.filter(each => !input.domains.includes(each)),
    );
  },
  text: () => [],
});

const clear = defineCommand({
  name: 'domains:clear-global',
  summary: 'Give new apps no domain',
  description: later,
  examples: ['domains:clear-global'],
  args: {},
  access: 'admin',
  effect: 'write',
  run: context => change(context, []),
  text: () => [],
});

export const domainsGlobalCommands = [set, add, remove, clear];

export function globalDomains({ store, settings }: Context): readonly Domain[] {
  return readGlobalDomains(store.properties.get('global', globalDomainsKey), settings.domain);
}

function change(context: Context, domains: readonly Domain[]): { domains: readonly Domain[] } {
  const wild = domains.find(each => each.startsWith('*'));
  if (wild !== undefined)
    throw new WherryError(
      'invalid',
      `No app can have a name under ${wild}. Give it without the "*.", as ${wild.slice(2)}.`,
    );
  context.store.properties.set('global', globalDomainsKey, JSON.stringify(domains));
  context.progress.step(
    domains.length === 0 ? 'Cleared global domains' : `Set global domains ${domains.join(' ')}`,
  );
  return { domains };
}
