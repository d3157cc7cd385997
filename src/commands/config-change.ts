import { WherryError } from '../domain/errors.ts';
import type { ConfigKey } from '../domain/names.ts';
import { many, toggle } from './args.ts';
import { applied, checkSizes, configApplied, keepValues, restartFlags, secretFlag } from './config-apply.ts';
import { ownerOf } from './config-owner.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal, asConfigValue, configKey, pairs } from './kinds.ts';

export const set = defineCommand({
  name: 'config:set',
  summary: 'Set config variables and release the app with them',
  description:
    'Values are kept byte for byte and encrypted. An app that runs is released and restarted with them; if that fails the values stay set, the old release keeps running and the command fails (dokku only warns). With --global they are what every app has unless its own say otherwise: at once with --restart, else from the next release of each. With --secret values are write-only: builds and instances get them as any other, and no command or API call shows them again, to anybody. They stay so when they are set again, in clones and after a rollback; only config:unset ends it, together with the value.',
  examples: [
    'config:set blog NODE_ENV=production "GREETING=hello there"',
    'config:set --no-restart blog TOKEN=x',
    'config:set --secret blog API_KEY=x',
    'config:set --encoded blog KEY=aGVsbG8K',
    'config:set --global TZ=Europe/Vienna',
  ],
  args: { app: appOrGlobal, pairs },
  flags: { encoded: toggle({ help: 'values are base64' }), secret: secretFlag, ...restartFlags },
  access: { app: 'deploy' },
  effect: 'write',
  result: configApplied,
  async run(context, input) {
    const owner = ownerOf(context, input.app);
    const values = input.encoded ? decoded(input.pairs) : input.pairs;
    checkSizes(context, owner, { ...context.store.config.own(owner), ...Object.fromEntries(values) });
    keepValues(context, owner, { values, secret: input.secret });
    const keys = [...values.keys()];
    return applied(context, owner, { keys, description: `Set ${keys.join(', ')}`, ...input });
  },
  text: () => [],
});

export const unset = defineCommand({
  name: 'config:unset',
  summary: 'Remove config variables and release the app without them',
  examples: [
    'config:unset blog GREETING',
    'config:unset --no-restart blog A B',
    'config:unset --global TZ --restart',
  ],
  args: { app: appOrGlobal, keys: many(configKey) },
  flags: restartFlags,
  access: { app: 'deploy' },
  effect: 'write',
  result: configApplied,
  run: (context, input) => without(context, input.keys, input),
  text: () => [],
});

export const clear = defineCommand({
  name: 'config:clear',
  summary: 'Remove all config variables and release the app without them',
  examples: ['config:clear blog', 'config:clear --no-restart blog', 'config:clear --global'],
  args: { app: appOrGlobal },
  flags: restartFlags,
  access: { app: 'deploy' },
  effect: 'write',
  result: configApplied,
  run: (context, input) =>
    without(
      context,
      Object.keys(context.store.config.own(ownerOf(context, input.app))) as ConfigKey[],
      input,
    ),
  text: () => [],
});

async function without(
  context: Context,
  wanted: readonly ConfigKey[],
  input: { readonly app: Parameters<typeof ownerOf>[1]; noRestart: boolean; restart: boolean },
) {
  const owner = ownerOf(context, input.app);
  const keys = wanted.filter(key => {
    const was = context.store.config.unset(owner, key);
    context.progress.step(was ? `Unsetting ${key}` : `Skipping ${key}, it is not set in the environment`);
    return was;
  });
  if (keys.length === 0) return { app: input.app ?? null, keys, release: null };
  return applied(context, owner, { keys, description: `Unset ${keys.join(', ')}`, ...input });
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
