import { WherryError } from '../domain/errors.ts';
import type { AppName } from '../domain/names.ts';
import { optional, text } from './args.ts';
import { decide, type Subject } from './authorise.ts';
import { type Command, defineCommand } from './define.ts';
import { app } from './kinds.ts';
import type { Registry } from './registry.ts';
import { userName } from './user-name.ts';

/** Asks what would be decided, without doing anything. */
export function accessCheck(registry: Registry): Command {
  return defineCommand({
    name: 'access:check',
    summary: 'Tell whether a user may run a command: allowed or refused, exit status 0 or 1',
    description:
      'Of a command about apps, name the app; without one it is asked for --global. `git-push` and `git-fetch` are asked for too.',
    examples: ['access:check alice ps:scale blog', 'access:check alice apps:create'],
    args: { user: userName('User name'), command: text('command'), app: optional(app) },
    access: 'owner',
    effect: 'read',
    run(context, input) {
      const { people } = context.store;
      if (!people.exists(input.user))
        throw new WherryError('not-found', `User ${input.user} does not exist.`, { hint: 'access:list' });
      const principal = { user: input.user, grants: people.grants(input.user) };
      const access = accessOf(registry, input.command);
      const allowed = decide(principal, access, subjectOf(input.app)) === 'allowed';
      return { user: input.user, command: input.command, app: input.app ?? null, allowed };
    },
    text: ({ allowed }) => [allowed ? 'allowed' : 'refused'],
    exit: ({ allowed }) => (allowed ? 0 : 1),
  });
}

function accessOf(registry: Registry, command: string): Command['access'] {
  if (command === 'git-push') return { app: 'deploy' };
  if (command === 'git-fetch') return { app: 'read' };
  return registry.find(command).access;
}

function subjectOf(name: AppName | undefined): Subject {
  return name === undefined ? { kind: 'shared' } : { kind: 'app', app: name };
}
