import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildpackSource, parseBuildpackSource } from '../domain/buildpack-source.ts';
import { WherryError } from '../domain/errors.ts';
import type { Fetched, Fetcher } from './fetch/fetcher.ts';
import { type Buildpack, describeBuildpack } from './lifecycle/buildpack.ts';
import type { Run } from './lifecycle/run.ts';
import { readPins, writePins } from './pins.ts';

/** A buildpack that somebody named, and what came where it was not here. */
export type Here = { readonly source: BuildpackSource; readonly fetched?: Fetched };

/** What an app itself names: no folder of this host. @throws invalid, build-failed */
export function namedByApp(text: string, app: string): BuildpackSource {
  const source = parseBuildpackSource(text);
  if (source.kind !== 'folder') return source;
  throw new WherryError(
    'build-failed',
    `The app names ${text} as its buildpack: a folder of this host, which an operator alone may choose.`,
    { hint: `buildpacks:set ${app} ${text}` },
  );
}

/** Fetches what is not here, each at what the app is held at by the file of pins. */
export async function fetchAll(
  run: Run,
  fetcher: Fetcher,
  { sources, pins }: { sources: readonly BuildpackSource[]; pins: PinsFile },
): Promise<readonly Here[]> {
  const { request, signal } = run;
  const before = readPins(fileOf(run, pins));
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
export function kindOf({ dir, source }: Fetched): 'classic' | 'native' {
  if (source.kind === 'image') return 'native';
  if (existsSync(join(dir, 'bin/compile')) && existsSync(join(dir, 'bin/detect'))) return 'classic';
  if (existsSync(join(dir, 'buildpack.toml'))) return 'native';
  throw new WherryError(
    'build-failed',
    `${source.text} holds no buildpack: neither bin/detect and bin/compile nor buildpack.toml. Correct the URL.`,
  );
}

/** Native ones, with the parts that they came with, beside those that are known; `each` is in the order of `here`. */
export function describeAll(
  known: ReadonlyMap<string, Buildpack>,
  here: readonly Here[],
): { known: ReadonlyMap<string, Buildpack>; each: readonly Buildpack[] } {
  const all = new Map(known);
  const each = here.map(({ source, fetched }) => {
    if (!fetched) return builtIn(known, source.text);
    for (const part of fetched.parts) {
      const buildpack = describeBuildpack(part.dir, { name: `a part of ${source.text}`, digest: part.layer });
      all.set(buildpack.id, buildpack).set(`${buildpack.id}@${buildpack.version}`, buildpack);
    }
    return describeBuildpack(fetched.dir, { name: source.text, digest: fetched.layer });
  });
  // Last: what parts have the same id does not take the place of what was named itself.
  for (const buildpack of each)
    all.set(buildpack.id, buildpack).set(`${buildpack.id}@${buildpack.version}`, buildpack);
  return { known: all, each };
}

function builtIn(known: ReadonlyMap<string, Buildpack>, id: string): Buildpack {
  const found = known.get(id);
  if (found) return found;
  const names = [...known.keys()].sort().join(', ');
  throw new WherryError('build-failed', `There is no buildpack ${id}. Wherry's own are: ${names}.`);
}

/** By who names them: what operators, environment and files of dokku and Heroku say, and project.toml. */
type PinsFile = 'buildpacks.json' | 'project.json';

/** Called once it is known that they are buildpacks: what is none must not be what the next push is held at. */
export function holdAt(run: Run, here: readonly Here[], pins: PinsFile): void {
  const held = here.flatMap(({ fetched }) =>
    fetched && fetched.source.kind !== 'folder' ? [[fetched.source.text, fetched.pin]] : [],
  );
  writePins(fileOf(run, pins), Object.fromEntries(held));
}

function fileOf({ request, builds }: Run, pins: PinsFile): string {
  return join(builds, request.app, pins);
}
