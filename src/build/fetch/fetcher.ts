import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildpackSource } from '../../domain/buildpack-source.ts';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { Progress } from '../../domain/push.ts';
import type { Clock } from '../../system/clock.ts';
import { ensureGitUser } from '../../system/git-user.ts';
import type { Paths } from '../../system/paths.ts';
import type { LayerStore } from '../layers/store.ts';
import { once } from '../stack/once.ts';
import { appUser } from '../stack/recipe.ts';
import type { AllowedHosts } from './addresses.ts';
import { download } from './download.ts';
import { copyFolder } from './folder.ts';
import { checkOutCommit, type RepositoryRequest, resolveCommit } from './repository.ts';
import { unpackDownload } from './unpack.ts';

export type Fetcher = ReturnType<typeof createFetcher>;

/** A buildpack that is here. */
export type Fetched = {
  readonly source: BuildpackSource;
  /** What it is held at from now on: a commit, or the sha256 of an archive. */
  readonly pin: string;
  readonly layer: DiffId;
  /** Its files; the folder never changes. */
  readonly dir: string;
};

export type FetchOptions = {
  /** What an earlier build was held at: taken as it is, without asking the network, unless `renew`. */
  readonly pin?: string | undefined;
  /** Ask the network what a branch or URL holds now. */
  readonly renew: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

/** Milliseconds; longer than any fetch may take. */
const oldFetch = 3_600_000;

type Remote = Extract<BuildpackSource, { kind: 'git' | 'archive' }>;

/**
 * Buildpacks by URL, each content fetched once per host: a layer of the shared cache under the name of what was fetched.
 * Folders of this host are copied as they are now.
 */
export function createFetcher(options: {
  paths: Pick<Paths, 'cache' | 'layers'>;
  layers: LayerStore;
  clock: Clock;
  allowed: AllowedHosts;
  caFile?: string | undefined;
}) {
  const { paths, layers, clock } = options;
  const home = join(paths.cache, 'buildpacks');

  const fetched = (source: BuildpackSource, pin: string, layer: DiffId): Fetched => ({
    source,
    pin,
    layer,
    dir: layers.layerPath(layer),
  });

  const known = (source: Remote, pin: string): Fetched | undefined => {
    const layer = readRecord(join(home, `${keyOf(source, pin)}.json`));
    return layer && layers.has(layer) ? fetched(source, pin, layer) : undefined;
  };

  const keep = async (source: Remote, pin: string, dir: string): Promise<Fetched> => {
    const layer = await layers.put({ dir, scope: 'shared', origin: source.text, owner: appUser });
    const file = join(home, `${keyOf(source, pin)}.json`);
    await writeFile(`${file}.${process.pid}.tmp`, JSON.stringify({ source: source.text, pin, layer }));
    await rename(`${file}.${process.pid}.tmp`, file);
    return fetched(source, pin, layer);
  };

  const fetchRemote = async (source: Remote, { pin, progress, signal }: FetchOptions): Promise<Fetched> => {
    const scratch = await makeScratch(home, clock.now());
    try {
      progress.step(`Fetching buildpack ${source.text}`);
      const rules = { allowed: options.allowed, caFile: options.caFile, signal };
      const into = join(scratch, 'files');
      await mkdir(into, { mode: 0o755 });
      if (source.kind === 'archive') {
        const file = join(scratch, 'archive');
        const sha256 = await download(new URL(source.url), file, rules);
        checkDigest(source, pin, sha256);
        const again = known(source, sha256);
        if (again) return again;
        return await keep(source, sha256, await unpackDownload(source, file, into));
      }
      const user = await ensureGitUser('wherry-git');
      const ref = pin ?? source.ref;
      const request: RepositoryRequest = { url: source.url, ref, scratch, user, rules };
      const remote = await resolveCommit(request);
      progress.detail(`Commit ${remote.commit}`);
      const again = known(source, remote.commit);
      if (again) return again;
      await checkOutCommit(request, remote, into);
      return await keep(source, remote.commit, into);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  };

  return {
    /** @throws access-denied, unavailable, not-found, invalid: the sentence names the buildpack's URL */
    async fetch(source: Exclude<BuildpackSource, { kind: 'built-in' }>, how: FetchOptions): Promise<Fetched> {
      if (source.kind === 'folder') {
        const layer = await copyFolder(source.path, { layers, tmp: join(paths.layers, 'tmp') });
        return fetched(source, layer, layer);
      }
      const held = source.kind === 'archive' ? (source.sha256 ?? how.pin) : how.pin;
      const have = held === undefined ? undefined : known(source, held);
      const fixed = source.kind === 'archive' && source.sha256 !== undefined;
      if (have && (fixed || !how.renew)) return have;
      const lock = {
        dir: join(paths.cache, 'locks'),
        name: `buildpack-${keyOf(source, '')}`,
        clock,
        signal: how.signal,
      };
      const pin = how.renew ? undefined : how.pin;
      try {
        return await once(lock, async () => await fetchRemote(source, { ...how, pin }));
      } catch (error) {
        if (!have || !(error instanceof WherryError) || error.code !== 'unavailable') throw error;
        how.progress.warn(`${error.message} Building with the copy from before.`);
        return have;
      }
    },
  };
}

async function makeScratch(home: string, now: Date): Promise<string> {
  await mkdir(home, { recursive: true });
  // git's user passes through and lists nothing, whatever umask this process has.
  await chmod(home, 0o711);
  await dropOld(home, now);
  const scratch = await mkdtemp(join(home, 'fetch-'));
  await chmod(scratch, 0o711);
  return scratch;
}

/** Fetches that were cut off; younger ones may be another Wherry's at work. */
async function dropOld(home: string, now: Date): Promise<void> {
  for (const name of readdirSync(home).filter(each => each.startsWith('fetch-'))) {
    const stats = statSync(join(home, name), { throwIfNoEntry: false });
    if (stats && now.getTime() - stats.mtimeMs > oldFetch)
      await rm(join(home, name), { recursive: true, force: true });
  }
}

function checkDigest(
  source: Extract<Remote, { kind: 'archive' }>,
  pin: string | undefined,
  sha256: string,
): void {
  const wanted = source.sha256 ?? pin;
  if (wanted === undefined || wanted === sha256) return;
  throw new WherryError(
    'invalid',
    `Archive ${source.text} has changed: its sha256 is ${sha256}, not ${wanted}. ${source.sha256 ? 'Correct the digest behind "#".' : 'To take the new one: ps:rebuild.'}`,
  );
}

function keyOf(source: Remote, pin: string): string {
  return createHash('sha256')
    .update(JSON.stringify([source.kind, source.url, pin]))
    .digest('hex')
    .slice(0, 32);
}

function readRecord(file: string): DiffId | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { layer: DiffId }).layer;
  } catch {
    return undefined;
  }
}
