import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { ConfigKey } from '../domain/names.ts';
import { many, toggle } from './args.ts';
import { exportCommand } from './config-export.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { doing, tell } from './doing.ts';
import { app, asConfigValue, configKey, pairs } from './kinds.ts';
import { header, keyValues } from './lines.ts';

/** Linux gives a program about 2 MiB for arguments and environment together; half of it is the app's. */
const largestConfig = 2 ** 20;

const noRestart = toggle({ help: 'store only; the next release takes it' });

const set = defineCommand({
  name: 'config:set',
  summary: 'Set config variables and release the app with them',
  description:
    'Values are kept byte for byte and encrypted. An app that runs is released and restarted with them; if that fails the values stay set, the old release keeps running and the command fails (dokku only warns).',
  examples: [
    'config:set blog NODE_ENV=production "GREETING=hello there"',
    'config:set --no-restart blog TOKEN=x',
    'config:set --encoded blog KEY=aGVsbG8K',
  ],
  args: { app, pairs },
  flags: { encoded: toggle({ help: 'values are base64' }), noRestart },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const values = input.encoded ? decoded(input.pairs) : input.pairs;
    checkSize({ ...context.store.config.all(owner), ...Object.fromEntries(values) });
    context.progress.step('Setting config vars');
    for (const line of keyValues([...values])) context.progress.detail(line);
    context.store.config.set(owner, values);
    const keys = [...values.keys()];
    return applied(context, owner, {
      keys,
      description: `Set ${keys.join(', ')}`,
      restart: !input.noRestart,
    });
  },
  text: () => [],
});

const unset = defineCommand({
  name: 'config:unset',
  summary: 'Remove config variables and release the app without them',
  examples: ['config:unset blog GREETING', 'config:unset --no-restart blog A B'],
  args: { app, keys: many(configKey) },
  flags: { noRestart },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const keys = input.keys.filter(key => {
      const was = context.store.config.unset(owner, key);
      context.progress.step(was ? `Unsetting ${key}` : `Skipping ${key}, it is not set in the environment`);
      return was;
    });
    if (keys.length === 0) return { app: owner.name, keys, release: null };
    return applied(context, owner, {
      keys,
      description: `Unset ${keys.join(', ')}`,
      restart: !input.noRestart,
    });
  },
  text: () => [],
});

const get = defineCommand({
  name: 'config:get',
  summary: 'Print the value of one config variable',
  description: 'Exit status 1 and no output when it is not set.',
  examples: ['config:get blog NODE_ENV'],
  args: { app, key: configKey },
  flags: { quoted: toggle({ help: 'quoted for a shell' }) },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const config = context.store.config.all(context.app(input.app));
    return Object.hasOwn(config, input.key) ? (config[input.key] ?? null) : null;
  },
  text: (value, input) =>
    value === null ? [] : [input.quoted ? `'${value.replaceAll("'", "'\\''")}'` : value],
  exit: value => (value === null ? 1 : 0),
});

const show = defineCommand({
  name: 'config:show',
  aliases: ['config'],
  summary: 'Show all config variables of an app',
  examples: ['config:show blog', 'config blog', 'config:show blog --format json'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run: (context, input) => context.store.config.all(context.app(input.app)),
  text: (values, input) => [header(`${input.app} env vars`), ...keyValues(Object.entries(values))],
});

export const configCommands = [set, unset, get, show, exportCommand];

async function applied(
  context: Context,
  owner: App,
  change: { keys: readonly ConfigKey[]; description: string; restart: boolean },
): Promise<{ app: string; keys: readonly ConfigKey[]; release: number | null }> {
  if (!change.restart) {
    tell(context, owner, 'config', `${change.description}, for the next release`);
    return { app: owner.name, keys: change.keys, release: null };
  }
  try {
    const release = await context.deployer.releaseConfig(owner, change.description, doing(context));
    if (!release) tell(context, owner, 'config', change.description);
    return { app: owner.name, keys: change.keys, release: release?.version ?? null };
  } catch (error) {
    context.progress.warn('The config is stored, but the app could not be released with it.');
    context.progress.warn(`What ran before keeps running; "ps:rebuild ${owner.name}" or a push tries again.`);
    throw error;
  }
}

function decoded(values: ReadonlyMap<ConfigKey, string>): ReadonlyMap<ConfigKey, string> {
  return new Map(
    [...values].map(([key, value]) => {
      const bytes = Buffer.from(value, 'base64');
      const plain = bytes.toString('utf8');
      const isBase64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value);
      if (!isBase64 || !Buffer.from(plain, 'utf8').equals(bytes))
        throw new WherryError('invalid', `The value of ${key} is not base64 of UTF-8 text.`);
      return [key, asConfigValue(key, plain)];
    }),
  );
}

function checkSize(config: Readonly<Record<string, string>>): void {
  const size = Object.entries(config).reduce(
    (sum, [key, value]) => sum + key.length + Buffer.byteLength(value) + 2,
    0,
  );
  if (size > largestConfig) {
    throw new WherryError(
      'invalid',
      `All config together would be ${size} bytes; a program gets at most ${largestConfig}. Unset some first.`,
    );
  }
}
