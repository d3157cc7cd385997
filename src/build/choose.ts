import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type BuildpackSource, parseBuildpackSource } from '../domain/buildpack-source.ts';
import { WherryError } from '../domain/errors.ts';
import type { Fetched, Fetcher } from './fetch/fetcher.ts';
import { parseJsonc } from './jsonc.ts';
import { type Buildpack, describeBuildpack } from './lifecycle/buildpack.ts';
import { orderOf } from './lifecycle/composite.ts';
import type { Order } from './lifecycle/order.ts';
import type { Run } from './lifecycle/run.ts';
import { readPins, writePins } from './pins.ts';
import { readSmallFile } from './read-file.ts';

/** What an app is built with. */
export type Choice =
  | { readonly kind: 'detected' }
  /** Cloud Native Buildpacks: one group, all of which must pass. */
  | { readonly kind: 'native'; readonly order: Order; readonly buildpacks: ReadonlyMap<string, Buildpack> }
  | { readonly kind: 'classic'; readonly buildpacks: readonly Fetched[] };

type Here = { readonly source: BuildpackSource; readonly fetched?: Fetched };

/**
 * The buildpacks that somebody named, fetched: by the operator, else by BUILDPACK_URL, `.buildpacks` or app.json.
 * @throws build-failed, invalid, access-denied or unavailable, naming the buildpack
 */
export async function choose(run: Run, fetcher: Fetcher): Promise<Choice> {
  const sources = namedSources(run);
  if (sources.length === 0) return { kind: 'detected' };
  const here = await fetchAll(run, fetcher, sources);
  const choice = choiceOf(run, here);
  // Only now: what is no buildpack must not be what the next push is held at.
  hold(run, here);
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
  return texts.map(text => {
    const source = parseBuildpackSource(text);
    if (source.kind === 'folder')
      throw new WherryError(
        'build-failed',
        `The app names ${text} as its buildpack: a folder of this host, which an operator alone may choose.`,
        { hint: `buildpacks:set ${request.app} ${text}` },
      );
    return source;
  });
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

async function fetchAll(
  run: Run,
  fetcher: Fetcher,
  sources: readonly BuildpackSource[],
): Promise<readonly Here[]> {
  const { request, builds, signal } = run;
  const before = readPins(pinsFile(request.app, builds));
  const here: Here[] = [];
  for (const source of sources) {
    if (source.kind === 'built-in') here.push({ source });
    else {
      const how = {
        app: request.app,
        pin: before[source.text],
        renew: request.fresh ?? false,
        progress: request.progress,
        signal,
      };
      here.push({ source, fetched: await fetcher.fetch(source, how) });
    }
  }
  return here;
}

/** Which of the two contracts it keeps. Some keep both: their native side is mostly a stub. */
function kindOf({ dir, source }: Fetched): 'classic' | 'native' {
  if (source.kind === 'image') return 'native';
  if (existsSync(join(dir, 'bin/compile')) && existsSync(join(dir, 'bin/detect'))) return 'classic';
  if (existsSync(join(dir, 'buildpack.toml'))) return 'native';
  throw new WherryError(
    'build-failed',
    `${source.text} holds no buildpack: neither bin/detect and bin/compile nor buildpack.toml. Correct the URL.`,
  );
}

function nativeChoice(run: Run, here: readonly Here[]): Choice {
  const known = new Map(run.buildpacks);
  /** Chosen themselves: what parts have the same id does not take their place. */
  const named = new Set<string>();
  const ids = here.map(({ source, fetched }) => {
    if (!fetched) return builtIn(run, source.text);
    for (const part of fetched.parts) {
      const buildpack = describeBuildpack(part.dir, { name: `a part of ${source.text}`, digest: part.layer });
      known.set(`${buildpack.id}@${buildpack.version}`, buildpack);
      if (!named.has(buildpack.id)) known.set(buildpack.id, buildpack);
    }
    const buildpack = describeBuildpack(fetched.dir, { name: source.text, digest: fetched.layer });
    known.set(buildpack.id, buildpack).set(`${buildpack.id}@${buildpack.version}`, buildpack);
    named.add(buildpack.id);
    return buildpack.id;
  });
  // An Aptfile and the commands of a Procfile count whatever builds.
  const beside = (id: string) => (known.has(id) && !ids.includes(id) ? [{ id, optional: true }] : []);
  const group = [...beside('wherry/apt'), ...ids.map(id => ({ id })), ...beside('wherry/procfile')];
  return { kind: 'native', order: orderOf([group], known), buildpacks: known };
}

function builtIn({ buildpacks }: Run, id: string): string {
  if (buildpacks.has(id)) return id;
  const known = [...buildpacks.keys()].sort().join(', ');
  throw new WherryError('build-failed', `There is no buildpack ${id}. Wherry's own are: ${known}.`);
}

/** At what each of them was, until a rebuild asks for what is newest. */
function hold({ request, builds }: Run, here: readonly Here[]): void {
  const held = here.flatMap(({ fetched }) =>
    fetched && fetched.source.kind !== 'folder' ? [[fetched.source.text, fetched.pin]] : [],
  );
  writePins(pinsFile(request.app, builds), Object.fromEntries(held));
}

function pinsFile(app: string, builds: string): string {
  return join(builds, app, 'buildpacks.json');
}
