import { join } from 'node:path';
import { z } from 'zod';
import type { BuildpackSource } from '../domain/buildpack-source.ts';
import { WherryError } from '../domain/errors.ts';
import type { Fetched, Fetcher } from './fetch/fetcher.ts';
import { parseJsonc } from './jsonc.ts';
import type { Buildpack } from './lifecycle/buildpack.ts';
import { orderOf } from './lifecycle/composite.ts';
import type { Order } from './lifecycle/order.ts';
import type { Run } from './lifecycle/run.ts';
import { describeAll, fetchAll, type Here, holdAt, kindOf, namedByApp } from './named.ts';
import { readSmallFile } from './read-file.ts';

/** What an app is built with. */
export type Choice =
  | { readonly kind: 'detected' }
  /** Cloud Native Buildpacks: one group, all of which must pass. */
  | { readonly kind: 'native'; readonly order: Order; readonly buildpacks: ReadonlyMap<string, Buildpack> }
  | { readonly kind: 'classic'; readonly buildpacks: readonly Fetched[] };

/**
 * The buildpacks that somebody named, fetched: by the operator, else by BUILDPACK_URL, `.buildpacks` or app.json.
 * @throws build-failed, invalid, access-denied or unavailable, naming the buildpack
 */
export async function choose(run: Run, fetcher: Fetcher): Promise<Choice> {
  const sources = namedSources(run);
  if (sources.length === 0) return { kind: 'detected' };
  const here = await fetchAll(run, fetcher, { sources, pins: 'buildpacks.json' });
  const choice = choiceOf(run, here);
  holdAt(run, here, 'buildpacks.json');
  return choice;
}

function choiceOf(run: Run, here: readonly Here[]): Choice {
  const classic = here.filter(({ fetched }) => fetched && kindOf(fetched) === 'classic');
  if (classic.length === here.length)
    return { kind: 'classic', buildpacks: classic.flatMap(({ fetched }) => fetched ?? []) };
  const [one] = classic;
  const other = here.find(each => !classic.includes(each));
  if (one && other)
    throw new WherryError(
      'build-failed',
      `Buildpack ${one.source.text} is one of Heroku's classic kind and ${other.source.text} a Cloud Native one, which cannot be mixed. Leave out either.`,
    );
  return nativeChoice(run, here);
}

function namedSources({ request }: Run): readonly BuildpackSource[] {
  if (request.buildpacks && request.buildpacks.length > 0) return request.buildpacks;
  const { dir } = request.source;
  const url = request.config['BUILDPACK_URL'];
  const texts = url ? [url] : (fromFile(dir) ?? fromAppJson(dir));
  return texts.map(text => namedByApp(text, request.app));
}

/** One a line; undefined when there is no such file, or nothing in it. */
function fromFile(dir: string): readonly string[] | undefined {
  const text = readSmallFile(join(dir, '.buildpacks'), '.buildpacks') ?? '';
  const lines = text.split(/\r\n|\n|\r/).map(line => line.trim());
  const named = lines.filter(line => line !== '' && !line.startsWith('#'));
  return named.length === 0 ? undefined : named;
}

const appJsonSchema = z.looseObject({ buildpacks: z.array(z.looseObject({ url: z.string() })).max(50) });

/** A document that does not parse is reported where the rest of it is read. */
function fromAppJson(dir: string): readonly string[] {
  const text = readSmallFile(join(dir, 'app.json'), 'app.json');
  if (text === undefined) return [];
  try {
    const parsed = appJsonSchema.safeParse(parseJsonc(text));
    return parsed.data?.buildpacks.map(({ url }) => url) ?? [];
  } catch {
    return [];
  }
}

function nativeChoice(run: Run, here: readonly Here[]): Choice {
  const { known, each } = describeAll(run.buildpacks, here);
  const ids = each.map(({ id }) => id);
  // An Aptfile and the commands of a Procfile count whatever builds.
  const beside = (id: string) => (known.has(id) && !ids.includes(id) ? [{ id, optional: true }] : []);
  const group = [...beside('wherry/apt'), ...ids.map(id => ({ id })), ...beside('wherry/procfile')];
  return { kind: 'native', order: orderOf([group], known), buildpacks: known };
}
