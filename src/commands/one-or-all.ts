import { availableParallelism } from 'node:os';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { AppName } from '../domain/names.ts';
import { type ArgKind, asInteger, flag, toggle } from './args.ts';
import type { Context } from './context.ts';
import { isDeployed } from './doing.ts';
import { forEachApp } from './each-app.ts';
import { aList, aRecord, aText } from './results.ts';

const mostAtOnce = 64;

/** Apps at once; -1 is as many as there are CPUs. */
const parallel: ArgKind<number> = flag(
  {
    word: 'number',
    required: false,
    schema: { type: 'integer', minimum: -1, maximum: mostAtOnce, default: 1 },
    parse: value =>
      value === '-1' || value === -1
        ? availableParallelism()
        : asInteger(value ?? 1, { word: 'number of apps at once', min: 1, max: mostAtOnce }),
  },
  { help: 'with --all: apps at once, -1 for one a CPU' },
);

/** `--all --parallel N`. */
export const allFlags = { all: toggle({ help: 'every app that is deployed' }), parallel };

/** Whom it was done to. */
export const doneTo = aRecord({ apps: aList(aText) });

type Wanted = { readonly app: AppName | undefined; readonly all: boolean; readonly parallel: number };

/**
 * Does it to the app, or with `--all` to every one that is deployed. One that never was deployed is told, and is no failure.
 * @returns whom it was done to @throws invalid when neither is named, app-not-found, failed when some could not
 */
export async function oneOrAll(
  context: Context,
  { app: name, all, parallel: atOnce }: Wanted,
  { verb, one }: { readonly verb: string; one(app: App): Promise<void> },
): Promise<{ readonly apps: readonly string[] }> {
  if (all && name !== undefined) throw new WherryError('usage', 'Name one app, or say --all.');
  if (all) {
    const deployed = context.apps().filter(app => context.store.releases.live(app));
    return { apps: await forEachApp(context, deployed, { verb, parallel: atOnce, one }) };
  }
  if (name === undefined) throw new WherryError('invalid', 'Please specify an app to run the command on');
  const owner = context.app(name);
  if (!isDeployed(context, owner)) return { apps: [] };
  await one(owner);
  return { apps: [owner.name] };
}
