import { randomBytes } from 'node:crypto';
import { formatDuration, parseDuration } from '../domain/duration.ts';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { roles } from '../domain/people.ts';
import type { Token } from '../store/tokens.ts';
import { type ArgKind, asText, choice, flag, many, optional } from './args.ts';
import { appFor, mayAll } from './authorise.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';
import { columns, heading } from './lines.ts';
import { userName } from './user-name.ts';

const mostTokens = 100;
const longestLife = 3650 * 86_400_000;

const user = userName('User name', 'user|me');
const name = userName('Token name', 'name');

const expires: ArgKind<number> = {
  word: 'duration',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const life = parseDuration(asText(value, 'duration'));
    if (life > 0 && life <= longestLife) return life;
    throw new WherryError(
      'invalid',
      'A token lives from 1ms to 3650d. Leave --expires out for one without end.',
    );
  },
};

const create = defineCommand({
  name: 'tokens:create',
  summary: 'Make a token for the HTTP API, and show it this once',
  description:
    'It may do what its user may at that moment, and no more: --role and --app narrow it, to a role and to apps. One that is narrowed to apps is nothing for the host. Anybody makes tokens of their own, for "me"; owners make those of others. A token makes no tokens.',
  examples: ['tokens:create me laptop', 'tokens:create ci deploys --app blog --role deployer --expires 90d'],
  args: { user, name },
  flags: {
    app: flag(optional(many(app)), { help: 'this app alone; may be repeated' }),
    role: flag(optional(choice('role', roles)), { help: 'no more than this role' }),
    expires: flag(optional(expires), { help: 'how long it is valid, as 30d; without end unless given' }),
  },
  access: 'self',
  effect: 'write',
  run(context, input) {
    const { store, clock, progress } = context;
    const owner = ownerOf(context, input.user);
    const apps = input.app?.map(each => appFor(context.actor, { app: 'read' }, each, store));
    const held = store.tokens.of(owner);
    if (held.some(each => each.name === input.name))
      throw new WherryError(
        'conflict',
        `${owner} has a token ${input.name} already. Revoke it, or choose another name.`,
      );
    if (held.length >= mostTokens)
      throw new WherryError('quota', `${owner} has ${mostTokens} tokens, which is the most. Revoke some.`);
    const token = `wherry_${randomBytes(32).toString('base64url')}`;
    const now = clock.now();
    const expiresAt = input.expires === undefined ? null : new Date(now.getTime() + input.expires);
    store.transaction(() =>
      store.tokens.add(token, {
        user: owner,
        name: input.name,
        role: input.role,
        apps,
        createdAt: now,
        expiresAt,
      }),
    );
    tellTokens(context, `Made token ${input.name} of ${owner}`);
    const life = input.expires === undefined ? 'without end' : `valid for ${formatDuration(input.expires)}`;
    progress.step(`Made token ${input.name} of ${owner}, ${life}. It is shown this once.`);
    return { user: owner, name: input.name, token, expiresAt: expiresAt?.toISOString() ?? null };
  },
  text: ({ token }) => [token],
});

const list = defineCommand({
  name: 'tokens:list',
  summary: 'List tokens by name, with what they may and when they end',
  description: 'Your own; owners see those of all, or of one user.',
  examples: ['tokens:list', 'tokens:list me', 'tokens:list ci --format json'],
  args: { user: optional(user) },
  access: 'self',
  effect: 'read',
  run(context, input) {
    const { tokens } = context.store;
    const all = input.user === undefined && isOwner(context);
    return (all ? tokens.list() : tokens.of(ownerOf(context, input.user ?? 'me'))).map(shown);
  },
  text(rows) {
    const [head = '', ...lines] = columns([
      ['User', 'Name', 'Role', 'Apps', 'Ends', 'Last used'],
      ...rows.map(each => [
        ...[each.user, each.name, each.role ?? '-', each.apps?.join(',') ?? '-'],
        ...[each.expiresAt ?? 'never', each.usedAt ?? 'never'],
      ]),
    ]);
    return [heading(head), ...lines];
  },
});

const revoke = defineCommand({
  name: 'tokens:revoke',
  summary: 'Make a token worth nothing',
  description: 'It counts at the next request.',
  examples: ['tokens:revoke me laptop', 'tokens:revoke ci deploys'],
  args: { user, name },
  access: 'self',
  effect: 'write',
  run(context, input) {
    const owner = ownerOf(context, input.user);
    if (!context.store.tokens.remove(owner, input.name))
      throw new WherryError('not-found', `${owner} has no token ${quoteForPeople(input.name)}.`, {
        hint: `tokens:list ${owner}`,
      });
    tellTokens(context, `Revoked token ${input.name} of ${owner}`);
    context.progress.step(`Revoked token ${input.name} of ${owner}`);
    return { user: owner, name: input.name };
  },
  text: () => [],
});

export const tokensCommands = [create, list, revoke];

/** Whose tokens are meant: one's own, or an owner's say about others. @throws access-denied, not-found */
function ownerOf(context: Context, said: string): string {
  const { actor, store } = context;
  if (actor.token !== undefined)
    throw new WherryError('access-denied', 'A token has no say over tokens. Come with your SSH key.');
  const owner = said === 'me' ? actor.name : said;
  if (owner !== actor.name && !isOwner(context))
    throw new WherryError(
      'access-denied',
      'Access denied: tokens of others are for owners. Say "me" for yours.',
    );
  if (store.people.exists(owner)) return owner;
  throw new WherryError('not-found', `User ${owner} does not exist.`, {
    hint: `access:grant ${said === 'me' ? 'NAME' : owner} ROLE makes one`,
  });
}

function isOwner({ actor, store }: Context): boolean {
  return mayAll(actor, 'owner', store);
}

function shown({ user: of, name: called, scope, ...times }: Token) {
  return {
    user: of,
    name: called,
    role: scope.role ?? null,
    apps: scope.apps ?? null,
    createdAt: times.createdAt.toISOString(),
    expiresAt: times.expiresAt?.toISOString() ?? null,
    usedAt: times.usedAt?.toISOString() ?? null,
  };
}

function tellTokens({ store, clock, actor }: Context, message: string): void {
  store.events.add({ at: clock.now(), kind: 'tokens', message, actor: actor.name });
}
