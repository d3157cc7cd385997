import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { ImageRef } from '../../domain/image-ref.ts';
import type { AppName } from '../../domain/names.ts';
import type { Progress } from '../../domain/push.ts';
import type { Clock } from '../../system/clock.ts';
import { deadline } from '../../system/deadline.ts';
import type { Proxies } from '../../system/proxy.ts';
import type { AllowedHosts } from '../fetch/addresses.ts';
import { once } from '../stack/once.ts';
import type { Credentials } from './challenge.ts';
import { createRegistryClient, type Manifest, type RegistryClient } from './client.ts';
import { folderFor, pullInto } from './pull.ts';

export type Registries = ReturnType<typeof createRegistries>;

/** Who an app, or the whole platform, is to a registry; undefined for nobody. */
export type FindCredentials = (app: AppName, registry: string) => Credentials | undefined;

export type Pulling = {
  /** Whose credentials are used: its own, else the platform's. */
  readonly app: AppName;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Bytes of all layers as they come, and milliseconds for all of it. */
  readonly limits: { readonly disk: number; readonly time: number };
};

/** An image that a registry has. */
export type Found = {
  readonly ref: ImageRef;
  /** What its tag means now: the digest to pin it by. */
  readonly digest: string;
  readonly manifest: Manifest;
};

/** Milliseconds that an image in the cache goes unused before it is deleted. */
const unused = 14 * 24 * 3_600_000;

/** Images of registries, by the distribution API. Nothing of it runs as another program, so credentials stay in memory. */
export function createRegistries(options: {
  cache: string;
  clock: Clock;
  allowed: AllowedHosts;
  caFile?: string | undefined;
  proxies?: Proxies;
  credentials: FindCredentials;
  /** Milliseconds that a registry may say nothing. */
  silence?: number;
}) {
  const { cache, clock } = options;
  const home = join(cache, 'images');

  const within = async <Result>(
    ref: ImageRef,
    how: Pulling,
    work: (client: RegistryClient) => Promise<Result>,
  ): Promise<Result> => {
    const timer = deadline(how.limits.time);
    const signal = AbortSignal.any([how.signal, timer]);
    const { allowed, caFile, proxies, silence } = options;
    const rules = { allowed, caFile, proxies, signal, ...(silence === undefined ? {} : { silence }) };
    const credentials = options.credentials(how.app, ref.registry);
    try {
      return await work(createRegistryClient({ ref, rules, credentials }));
    } catch (error) {
      if (how.signal.aborted || !timer.aborted) throw error;
      throw new WherryError(
        'unavailable',
        `Registry ${ref.registry} took longer than ${Math.round(how.limits.time / 1000)} s for ${ref.repository}. Try again later.`,
        { cause: error },
      );
    }
  };

  const find = async (client: RegistryClient, ref: ImageRef): Promise<Found> => {
    const manifest = await client.manifest(ref.digest ?? ref.tag ?? 'latest');
    return { ref, digest: manifest.digest, manifest };
  };

  return {
    /** Asks the registry what an image's tag means now: one request, no layer. @throws not-found, access-denied, unavailable, invalid */
    resolve: async (ref: ImageRef, how: Pulling): Promise<Found> =>
      await within(ref, how, async client => await find(client, ref)),

    /** Downloads what `resolve` found into an empty folder of the caller's, as an OCI layout; layers that `has` knows are left out. */
    async download(
      found: Found,
      how: Pulling & { into: string; has?: (diffId: string) => boolean },
    ): Promise<void> {
      const name = `Image ${found.ref.text}`;
      await within(found.ref, how, async client => {
        await pullInto({ ...how, client, manifest: found.manifest, name, limit: how.limits.disk });
      });
    },

    /**
     * An image as an OCI layout in the host's cache, whole and verified: `dir` holds one image, named `image`, for this host's
     * platform (`oci:DIR:image` to other tools). The folder never changes; copy it or mount it read-only while you build, since
     * one that goes unused for two weeks is deleted. A reference with a digest that is in the cache asks no registry; one with a
     * tag asks what the tag means now. Downloaded once for all apps with the same credentials.
     * @throws not-found, access-denied, unavailable, invalid: one sentence that names image and registry
     */
    async pull(ref: ImageRef, how: Pulling): Promise<{ dir: string; digest: string }> {
      const user = options.credentials(how.app, ref.registry)?.user ?? '';
      const folder = (digest: string) => join(home, folderFor(ref.registry, ref.repository, digest, user));
      if (ref.digest !== undefined && isWhole(folder(ref.digest)))
        return { dir: used(folder(ref.digest), clock), digest: ref.digest };
      return await within(ref, how, async client => {
        const { digest, manifest } = await find(client, ref);
        const dir = folder(digest);
        const lock = {
          dir: join(cache, 'locks'),
          name: `image-${digest.slice(7, 39)}`,
          clock,
          signal: how.signal,
        };
        await once(lock, async () => {
          if (isWhole(dir)) return;
          how.progress.step(`Fetching image ${ref.text}`);
          await dropUnused(home, clock.now());
          const into = await mkdtemp(join(home, 'pull-'));
          try {
            const name = `Image ${ref.text}`;
            await pullInto({ ...how, client, manifest, name, into, limit: how.limits.disk });
            await rm(dir, { recursive: true, force: true });
            await rename(into, dir);
          } finally {
            await rm(into, { recursive: true, force: true });
          }
        });
        return { dir: used(dir, clock), digest };
      });
    },
  };
}

function isWhole(dir: string): boolean {
  return existsSync(join(dir, 'index.json'));
}

function used(dir: string, clock: Clock): string {
  utimesSync(dir, clock.now(), clock.now());
  return dir;
}

async function dropUnused(home: string, now: Date): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o711 });
  for (const name of readdirSync(home)) {
    const stats = statSync(join(home, name), { throwIfNoEntry: false });
    if (stats && now.getTime() - stats.mtimeMs > unused)
      await rm(join(home, name), { recursive: true, force: true });
  }
}
