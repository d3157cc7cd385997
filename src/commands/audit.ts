import type { AuditEntry } from '../store/audit.ts';
import { flag, integer, optional, withDefault } from './args.ts';
import { mayAll } from './authorise.ts';
import { defineCommand } from './define.ts';
import { anyApp } from './kinds.ts';
import { aList, anInteger, aRecord, aText, aTime, orNull } from './results.ts';

export const audit = defineCommand({
  name: 'audit',
  summary: 'Show who changed what: each write, from where, and what came of it',
  description:
    'Of one app, or of all that one is admin of; an owner sees everything. Oldest first. Pushes are git-push; also what was refused, and what went on without its client. Values of config, passwords and other secrets are left out of the words of a command, and so is what follows the first word of run and enter. A rename is found under both names. The newest 20,000 are kept. An owner sees among them logins that were refused, and words that nobody understood: the same from one address is one entry an hour, with how often at least; the newest 2,000 are kept.',
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
  result: aList(
    aRecord({
      at: aTime,
      app: orNull(aText),
      other: orNull(aText),
      command: aText,
      args: aText,
      result: aText,
      user: aText,
      via: aText,
      credential: orNull(aText),
      address: orNull(aText),
      times: anInteger,
    }),
  ),
  run(context, input) {
    const { actor, store } = context;
    const everything = input.app !== undefined || mayAll(actor, 'owner', store);
    const names = new Set<string | null>(context.apps().map(({ name }) => name));
    const entries = store.audit
      .list(input.app)
      .filter(({ app, other }) => everything || names.has(app) || names.has(other));
    const hidden = new Set<string>(store.apps.list().flatMap(({ name }) => (names.has(name) ? [] : [name])));
    const sees = (app: string | null) => app === null || !hidden.has(app);
    const done = entries.slice(-input.num).map(each => ({ ...withoutUnseen(each, sees), times: 1 }));
    const refused = input.app === undefined && everything ? store.refusals.list().slice(-input.num) : [];
    const of = { app: null, other: null, args: '' };
    return [...done, ...refused.map(each => ({ ...each, ...of }))]
      .sort((one, next) => one.at.getTime() - next.at.getTime())
      .slice(-input.num)
      .map(each => ({ ...each, at: each.at.toISOString() }));
  },
  text: entries =>
    entries.map(each => {
      const by = [each.user, each.credential, each.address].filter(Boolean).join(' ') || 'many';
      const words = [each.at, each.app ?? '-', each.command, each.args].filter(word => word !== '');
      const times = each.times > 1 ? `, ${each.times} times` : '';
      return `${words.join(' ')}: ${each.result}${times} (${each.via}: ${by})`;
    }),
});

/** Of a rename or a clone by somebody who sees more: one end of it may be none of the reader's business. */
function withoutUnseen(entry: AuditEntry, sees: (app: string | null) => boolean): AuditEntry {
  const { app, other } = entry;
  if (sees(app) && sees(other)) return entry;
  return { ...entry, app: sees(app) ? app : other, other: null, args: '***' };
}
