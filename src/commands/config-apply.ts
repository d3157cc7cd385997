import { isDeepStrictEqual } from 'node:util';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { ConfigKey } from '../domain/names.ts';
import type { ConfigOwner } from '../store/config.ts';
import { faultPoint } from '../system/fault.ts';
import { toggle } from './args.ts';
import { unseen } from './config-owner.ts';
import type { Context } from './context.ts';
import { doing, tell } from './doing.ts';
import { forEachApp } from './each-app.ts';
import { keyValues } from './lines.ts';
import { aList, anInteger, aRecord, aText, orNull } from './results.ts';

/** Linux gives a program about 2 MiB for arguments and environment together; half of it is the app's. */
export const largestConfig = 2 ** 20;

export const restartFlags = {
  noRestart: toggle({ help: 'store only; the next release takes it' }),
  restart: toggle({ help: 'with --global: release every app that runs with it now' }),
};

type Change = {
  readonly keys: readonly ConfigKey[];
  readonly description: string;
  readonly noRestart: boolean;
  readonly restart: boolean;
};
type Applied = { app: string | null; keys: readonly ConfigKey[]; release: number | null };

export const configApplied = aRecord({ app: orNull(aText), keys: aList(aText), release: orNull(anInteger) });

export const secretFlag = toggle({ help: 'write-only from now on: apps get the value, no command shows it' });

/** Keeps the values, and shows those that may be. */
export function keepValues(
  context: Context,
  owner: ConfigOwner,
  {
    values,
    secret,
    replace = false,
  }: { values: ReadonlyMap<ConfigKey, string>; secret: boolean; replace?: boolean },
): void {
  const { config } = context.store;
  config[replace ? 'replace' : 'set'](owner, values, { secret });
  const writeOnly = new Set(config.secretKeys(owner));
  context.progress.step('Setting config vars');
  const shown = [...values].map(([key, value]) => [key, writeOnly.has(key) ? unseen : value] as const);
  for (const line of keyValues(shown)) context.progress.detail(line);
}

/** What changed in the store, made so in what runs: an app's at once unless told not to, that of all only when told to. */
export async function applied(context: Context, owner: ConfigOwner, change: Change): Promise<Applied> {
  if (owner === 'global') return await appliedToAll(context, change);
  const { keys, description } = change;
  if (change.noRestart) {
    tell(context, owner, 'config', `${description}, for the next release`);
    return { app: owner.name, keys, release: null };
  }
  await faultPoint('config:stored');
  try {
    const release = await context.deployer.releaseConfig(owner, description, doing(context));
    if (!release) tell(context, owner, 'config', description);
    return { app: owner.name, keys, release: release?.version ?? null };
  } catch (error) {
    context.progress.warn('The config is stored, but the app could not be released with it.');
    context.progress.warn(`What ran before keeps running; "ps:rebuild ${owner.name}" or a push tries again.`);
    throw error;
  }
}

async function appliedToAll(context: Context, { keys, description, restart }: Change): Promise<Applied> {
  const told = `${description} for all apps`;
  const { clock, actor, store } = context;
  store.events.add({ at: clock.now(), kind: 'config', message: told, actor: actor.name });
  const changed = store.apps.list().filter(app => isBehind(context, app));
  if (!restart) {
    if (changed.length > 0)
      context.progress.step(
        `Taken by the next release of: ${changed.map(({ name }) => name).join(', ')} (--restart releases them now)`,
      );
    return { app: null, keys, release: null };
  }
  await forEachApp(context, changed, {
    verb: 'config',
    one: async app => void (await context.deployer.releaseConfig(app, told, doing(context))),
  });
  return { app: null, keys, release: null };
}

/** Whether what runs of the app has other config than is set for it. */
function isBehind({ store }: Context, app: App): boolean {
  const release = store.releases.live(app);
  return (
    release !== undefined && !isDeepStrictEqual(store.releases.config(release), store.config.merged(app))
  );
}

/** That every app can be started with what would be set. @throws invalid */
export function checkSizes(
  { store }: Context,
  owner: ConfigOwner,
  wanted: Readonly<Record<string, string>>,
): void {
  const { config } = store;
  if (owner !== 'global') checkSize({ ...config.own('global'), ...wanted });
  else for (const app of [{}, ...store.apps.list().map(config.own)]) checkSize({ ...wanted, ...app });
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
