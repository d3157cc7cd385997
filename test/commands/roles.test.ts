import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { authorise } from '../../src/commands/authorise.ts';
import type { Command } from '../../src/commands/define.ts';
import { readInvocation, readWords } from '../../src/commands/grammar.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { appOf, type Input, isGlobal, parseWords } from '../../src/commands/parse.ts';
import { WherryError } from '../../src/domain/errors.ts';
import { type AppName, parseAppName } from '../../src/domain/names.ts';
import { type Role, roles } from '../../src/domain/people.ts';
import { splitWords } from '../../src/domain/words.ts';
import { builtInCommands } from '../../src/plugin/built-in-commands.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';

/**
 * Which role each command needs at least. The first four are about apps: held on the app that the command names, or everywhere.
 * Those of `all` must be held everywhere. A new command needs its row here: ask what a viewer may learn from it.
 */
const table = {
  // Of tokens, everybody one's own: tokens.test.ts says the rest.
  everybody: ['tokens:create', 'tokens:list', 'tokens:revoke', 'completion', 'help', 'version'],
  viewer: [
    ...['apps:exists', 'apps:list', 'apps:locked', 'apps:report', 'report'],
    ...['autoscale:explain', 'autoscale:report', 'sleep:report', 'cron:list', 'cron:report'],
    ...[
      'builder-dockerfile:report',
      'builder:report',
      'buildpacks:detect',
      'buildpacks:list',
      'buildpacks:report',
    ],
    ...[
      'builds:explain',
      'builds:info',
      'builds:list',
      'builds:output',
      'builds:report',
      'git:report',
      'stacks:report',
    ],
    // Names alone: values are a deployer's.
    ...['config:keys', 'config:report'],
    ...['certs:report', 'letsencrypt:active', 'letsencrypt:list', 'letsencrypt:report'],
    ...['disk:report', 'docker-options:list', 'docker-options:report', 'quota:report', 'resource:report'],
    ...['domains:report', 'error-pages:report', 'http-auth:report', 'maintenance:report', 'redirect:report'],
    ...['network:report', 'ports:list', 'ports:report', 'proxy:logs', 'proxy:report', 'url', 'urls'],
    ...['events', 'logs', 'logs:failed', 'logs:report', 'registry:report', 'storage:list', 'storage:report'],
    'isolation:report',
    ...['scheduler:report', 'scheduler-docker-local:report'],
    ...['ps:inspect', 'ps:report', 'ps:retire', 'releases', 'releases:info', 'run:list', 'run:logs'],
    ...['git:status', 'git:unlock'],
    ...['app-json:report'],
    'checks:report',
    'webhooks:report',
    'checks:run',
  ],
  deployer: [
    ...['apps:lock', 'apps:unlock', 'builds:cancel', 'repo:purge-cache', 'rollback'],
    ...['config:bundle', 'config:clear', 'config:export', 'config:get', 'config:import', 'config:set'],
    ...['config:show', 'config:unset', 'cron:resume', 'cron:run', 'cron:suspend'],
    ...['git:from-archive', 'git:from-image', 'git:load-image', 'git:sync', 'git:initialize', 'repo:gc'],
    ...['enter', 'run', 'run:detached', 'run:stop', 'maintenance:disable', 'maintenance:enable'],
    ...['ps:rebase', 'ps:rebuild', 'ps:restart', 'ps:restore', 'ps:scale', 'ps:start', 'ps:stop'],
    ...['sleep:now', 'sleep:wake'],
  ],
  admin: [
    'audit',
    ...['git:auth', 'git:auth-status'],
    ...[
      'apps:destroy',
      'autoscale:set',
      'builder-dockerfile:set',
      'builder:set',
      'builds:prune',
      'builds:set',
    ],
    ...[
      'buildpacks:add',
      'buildpacks:clear',
      'buildpacks:remove',
      'buildpacks:set',
      'buildpacks:set-property',
    ],
    ...['certs:add', 'certs:generate', 'certs:remove', 'certs:show', 'certs:update', 'cleanup'],
    ...['docker-options:add', 'docker-options:clear', 'docker-options:remove'],
    ...[
      'domains:add',
      'domains:clear',
      'domains:disable',
      'domains:enable',
      'domains:remove',
      'domains:reset',
    ],
    ...['domains:set', 'error-pages:set', 'error-pages:unset', 'git:set', 'logs:set'],
    ...['http-auth:add-allowed-ip', 'http-auth:add-user', 'http-auth:disable', 'http-auth:enable'],
    ...['http-auth:remove-allowed-ip', 'http-auth:remove-user'],
    ...['letsencrypt:auto-renew', 'letsencrypt:cleanup', 'letsencrypt:disable', 'letsencrypt:enable'],
    ...[
      'letsencrypt:revoke',
      'letsencrypt:set',
      'network:detach',
      'network:rebuild',
      'ports:add',
      'ports:clear',
      'ports:remove',
      'ports:set',
    ],
    ...['proxy:set', 'ps:set', 'quota:set', 'redirect:set', 'redirect:unset', 'registry:login'],
    ...['registry:logout', 'resource:limit', 'sleep:set', 'stacks:use', 'storage:unmount'],
    ...['scheduler:set', 'scheduler-docker-local:set'],
    ...['resource:limit-clear', 'resource:reserve', 'resource:reserve-clear'],
    ...['app-json:set'],
    'checks:set',
    'webhooks:set',
    'checks:skip',
    'checks:disable',
    'checks:enable',
  ],
  'admin of all': [
    'doctor',
    ...['apps:clone', 'apps:create', 'apps:rename', 'apps:set', 'events:list', 'events:off', 'events:on'],
    ...['domains:add-global', 'domains:clear-global', 'domains:remove-global', 'domains:set-global'],
    ...['git:public-key', 'isolation:set', 'proxy:metrics', 'stacks:list'],
    // A folder may be mounted by several apps.
    ...['storage:create', 'storage:destroy', 'storage:ensure-directory', 'storage:info', 'storage:mount'],
    ...['storage:set', 'storage:exec'],
    // So may a network, and whoever is in it reaches the others.
    ...[
      'network:attach',
      'network:create',
      'network:destroy',
      'network:exists',
      'network:info',
      'network:list',
    ],
    ...['network:rebuildall', 'network:set'],
  ],
  owner: [
    'secrets:rotate',
    // All that there is, and where it goes.
    ...['backup', 'backup:list', 'backup:report', 'backup:schedule', 'backup:set', 'backup:verify'],
    ...['access:check', 'access:grant', 'access:list', 'access:revoke'],
    ...['ssh-keys:add', 'ssh-keys:list', 'ssh-keys:remove'],
    ...[
      'disk:set',
      'git:allow-host',
      'git:generate-deploy-key',
      'host:report',
      'host:set',
      'stacks:build',
      'stacks:remove',
      'stacks:set',
    ],
    ...[
      'plugin:disable',
      'plugin:enable',
      'plugin:install',
      'plugin:list',
      'plugin:report',
      'plugin:set',
      'plugin:uninstall',
    ],
  ],
} as const satisfies Record<string, readonly string[]>;
type Row = keyof typeof table;

const registry = createCoreRegistry();
for (const command of await builtInCommands()) registry.add(command);
const rows = Object.entries(table).flatMap(([row, names]) => names.map(name => [name, row as Row] as const));
const rowOf = new Map<string, Row>(rows);

describe('the table of roles', () => {
  it('has one row for every command, and none for others', () => {
    const names = rows.map(([name]) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect([...names].sort()).toEqual(
      registry
        .list()
        .map(({ name }) => name)
        .sort(),
    );
  });
});

type Outcome = 'allowed' | 'hidden' | 'refused';
type Person = { readonly role: Role | undefined; readonly where: 'everywhere' | 'on the app' };

const people: readonly Person[] = [
  { role: undefined, where: 'everywhere' },
  ...roles.map(role => ({ role, where: 'everywhere' }) as const),
  ...(['viewer', 'deployer', 'admin'] as const).map(role => ({ role, where: 'on the app' }) as const),
];

describe.each(registry.list().map(command => [command.name, command] as const))('%s', (name, command) => {
  const row = rowOf.get(name) ?? 'owner';
  const input = exampleOf(command);
  it.each(people)(`(${row}) asked by $role $where`, person => {
    expect(outcome(command, input, person)).toBe(expected(row, { command, input }, person));
  });
});

/** Its first example that names an app, or its first. */
function exampleOf(command: Command): Input {
  const inputs = (command.examples ?? []).map(example => {
    const { rest, globals } = readInvocation(splitWords(example.replace(/ <.*$/, '')));
    return parseWords(command, readWords(command, rest, globals));
  });
  return inputs.find(input => existing(command, input) !== undefined) ?? inputs[0] ?? {};
}

function existing(command: Command, input: Input): AppName | undefined {
  const app = appOf(command, input);
  return app && !app.isNew ? parseAppName(app.name) : undefined;
}

/** What the pipeline decides, by the real store. */
function outcome(command: Command, input: Input, { role, where }: Person): Outcome {
  const store = openStore(':memory:', createSeal(randomBytes(32)));
  try {
    const app = store.apps.create(existing(command, input) ?? parseAppName('blog'), new Date(0));
    store.people.ensure('bob', new Date(0));
    if (role) store.people.grant('bob', role, where === 'everywhere' ? undefined : app);
    authorise({ name: 'bob', via: 'ssh' }, { command, input }, store);
    return 'allowed';
  } catch (error) {
    if (!(error instanceof WherryError)) throw error;
    return error.code === 'app-not-found' ? 'hidden' : 'refused';
  } finally {
    store.close();
  }
}

/** The same from the table alone. */
function expected(
  row: Row,
  { command, input }: { command: Command; input: Input },
  { role, where }: Person,
): Outcome {
  const rank = role === undefined ? -1 : roles.indexOf(role);
  const answer = (allowed: boolean): Outcome => (allowed ? 'allowed' : 'refused');
  if (row === 'everybody') return 'allowed';
  if (row === 'owner') return answer(role === 'owner');
  if (row === 'admin of all') return answer(rank >= roles.indexOf('admin') && where === 'everywhere');
  if (existing(command, input) !== undefined) return role ? answer(rank >= roles.indexOf(row)) : 'hidden';
  if (isGlobal(command, input)) {
    const needed = row === 'viewer' ? 'viewer' : 'admin';
    return answer(rank >= roles.indexOf(needed) && where === 'everywhere');
  }
  return answer(row === 'viewer' || rank >= roles.indexOf(row));
}
