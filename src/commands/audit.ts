import { flag, integer, optional, withDefault } from './args.ts';
import { mayAll } from './authorise.ts';
import { defineCommand } from './define.ts';
import { anyApp } from './kinds.ts';

export const audit = defineCommand({
  name: 'audit',
  summary: 'Show who changed what: each write, from where, and what came of it',
  description:
    'Of one app, or of all that one is admin of; an owner sees everything. Oldest first. Pushes are git-push; also what was refused, and what went on without its client. Arguments are not kept, since they may be secrets. The newest 20,000 are.',
  examples: ['audit blog', 'audit -n 20 --format json'],
  args: { app: optional(anyApp) },
  flags: {
    num: flag(withDefault(integer('entries', { min: 1, max: 20_000 }), 100), {
      help: 'how many',
      short: 'n',
    }),
  },
  access: { app: 'write' },
  effect: 'read',
  run(context, input) {
    const { actor, store } = context;
    const everything = input.app !== undefined || mayAll(actor, 'owner', store);
    const names = new Set<string | null>(context.apps().map(({ name }) => name));
    const entries = store.audit.list(input.app).filter(({ app }) => everything || names.has(app));
    return entries.slice(-input.num).map(each => ({ ...each, at: each.at.toISOString() }));
  },
  text: entries =>
    entries.map(each => {
      const by = [each.user, each.credential, each.address].filter(part => part !== null).join(' ');
      return `${each.at} ${each.app ?? '-'} ${each.command}: ${each.result} (${each.via}: ${by})`;
    }),
});
