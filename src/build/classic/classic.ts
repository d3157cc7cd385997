import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import { faultPoint } from '../../system/fault.ts';
import { checkDisk } from '../disk-watch.ts';
import { beginClassic, endClassic } from '../explain/classic.ts';
import type { Explanation } from '../explain/explanation.ts';
import { classicParts } from '../explain/parts.ts';
import type { Fetched } from '../fetch/fetcher.ts';
import { keyedHash } from '../lifecycle/inputs.ts';
import type { Run } from '../lifecycle/run.ts';
import { checkSource, putSource } from '../source.ts';
import { openClassicContainer } from './container.ts';
import { classicImage, exportApp, exportCache, processesOf, putClassicLauncher } from './export.ts';
import { compileAll, releaseOf } from './programs.ts';
import { type ClassicRecord, readClassicRecord, schema } from './record.ts';
import type { ReleaseInfo } from './release-yaml.ts';
import { applySlugignore } from './slugignore.ts';

/** One build by Heroku's classic buildpacks, in the order given: source in, record with the image out. */
export async function runClassic(
  run: Run,
  buildpacks: readonly Fetched[],
): Promise<{ readonly record: ClassicRecord; readonly explanation: Explanation }> {
  const { request, work, layers } = run;
  applySlugignore(request.source.dir);
  const appJson = checkSource(request.source.dir, request.progress);
  const base = await run.stack.generation(request);
  const stack = request.config['STACK'] || request.stack || base.id;
  // Heroku's build images have compilers, and buildpacks count on it.
  const buildImage = [...base.build, await run.stack.compilers(request)];
  const source = await putSource(request.source, layers, work, 'app');
  await faultPoint('build:source');
  const last = readClassicRecord(run.builds, request.app);
  const keys = keysOf(run, { source, stack, runImage: base.run, buildImage, buildpacks });
  const same = last && isSame(run, last, keys) ? last : undefined;
  const told = { parts: classicParts(run, { generation: base, stack, source, buildpacks }), last };
  const begun = beginClassic(run, { ...told, reused: same !== undefined });
  if (same) return { record: same, explanation: endClassic(run, { ...told, begun, record: same }) };

  work.writeConfig(request.config);
  const dir = join(layers.layerPath(source), 'app');
  const cache = last?.stack === stack && last.cache && layers.has(last.cache) ? last.cache : undefined;
  const { release, cacheUpper } = await buildInside(run, {
    image: buildImage,
    baseEnv: base.env,
    source: dir,
    cache,
    buildpacks,
    stack,
  });
  await checkDisk(work.dir, request.limits.disk);
  const processes = processesOf(run, dir, release);
  const kept = await exportCache(run, { upper: cacheUpper, last: cache });
  await faultPoint('build:export');
  const built = await exportApp(run, dir);
  const image = classicImage({
    base,
    layers: [source, ...(built ? [built] : []), await putClassicLauncher(run)],
    stack,
    release,
    processes,
    buildpacks: buildpacks.map(({ source: { text }, pin }) => ({ text, pin })),
    appJson,
  });
  const record: ClassicRecord = { schema, ...keys, stack, ...(kept ? { cache: kept } : {}), image };
  return { record, explanation: endClassic(run, { ...told, begun, record }) };
}

type Inside = {
  readonly image: readonly DiffId[];
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly source: string;
  readonly cache: DiffId | undefined;
  readonly buildpacks: readonly Fetched[];
  readonly stack: string;
};

async function buildInside(run: Run, inside: Inside): Promise<{ release: ReleaseInfo; cacheUpper: string }> {
  const { buildpacks, cache } = inside;
  const folder = cache && join(run.layers.layerPath(cache), 'cache');
  const container = await openClassicContainer(run, { ...inside, cache: folder });
  try {
    await faultPoint('build:sandbox');
    const programs = { container, buildpacks, progress: run.request.progress, signal: run.signal };
    await compileAll(programs);
    const release = await releaseOf(programs);
    await faultPoint('build:layers');
    return { release, cacheUpper: container.cacheUpper };
  } finally {
    await container.close();
  }
}

type Keys = Pick<ClassicRecord, 'base' | 'whole'>;

function keysOf(
  { request, key }: Run,
  parts: {
    source: DiffId;
    stack: string;
    runImage: readonly DiffId[];
    buildImage: readonly DiffId[];
    buildpacks: readonly Fetched[];
  },
): Keys {
  const { source, stack, runImage, buildImage, buildpacks } = parts;
  const packs = buildpacks.map(({ layer }) => layer);
  const config = Object.entries(request.config).sort();
  return {
    base: createHash('sha256')
      .update(JSON.stringify([schema, stack, runImage, buildImage, packs]))
      .digest('hex'),
    whole: keyedHash(JSON.stringify([source, config]), key),
  };
}

/** The last build stands when nothing at all has changed; says so, or why not. */
function isSame({ request, layers }: Run, last: ClassicRecord, keys: Keys): boolean {
  const { progress } = request;
  if (request.fresh) return false;
  if (last.base !== keys.base) progress.detail('Building again: the stack or the buildpacks are newer');
  else if (last.whole !== keys.whole) progress.detail('Building again: source or config changed');
  else if (!last.image.layers.every(id => layers.has(id)))
    progress.detail('Building again: layers of the last build are gone');
  else {
    progress.detail('Reusing the last build: source and config are unchanged');
    return true;
  }
  return false;
}
