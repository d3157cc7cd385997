import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildpackSource } from '../../domain/buildpack-source.ts';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { AppName } from '../../domain/names.ts';
import type { Progress, Submodule } from '../../domain/push.ts';
import type { Clock } from '../../system/clock.ts';
import type { Paths } from '../../system/paths.ts';
import type { Proxies } from '../../system/proxy.ts';
import { ensureSystemUser } from '../../system/system-user.ts';
import type { LayerStore } from '../layers/store.ts';
import type { Registries } from '../registry/registries.ts';
import { once } from '../stack/once.ts';
import { appUser } from '../stack/recipe.ts';
import type { AllowedHosts } from './addresses.ts';
import { unpackBuildpackage } from './buildpackage.ts';
import { download } from './download.ts';
import { copyFolder } from './folder.ts';
import {
  checkOutCommit,
  type FindLogin,
  type Login,
  type RepositoryRequest,
  resolveCommit,
} from './repository.ts';
import { makeScratch } from './scratch.ts';
import { openSshAccess, type SshAccess, type SshIdentity } from './ssh-access.ts';
import { unpackDownload } from './unpack.ts';

export type Fetcher = ReturnType<typeof createFetcher>;

/** A buildpack that is here. */
export type Fetched = {
  readonly source: BuildpackSource;
  /** What it is held at from now on: a commit, the sha256 of an archive, or the digest of an image. */
  readonly pin: string;
  readonly layer: DiffId;
  /** Its files; the folder never changes. */
  readonly dir: string;
  /** Other buildpacks that came with it: those that it is made of. */
  readonly parts: readonly Pick<Fetched, 'layer' | 'dir'>[];
  /** Of a repository: those whose folders are in it, and empty. */
  readonly submodules: readonly Submodule[];
};

export type FetchOptions = {
  /** What it is, for people; a buildpack when left out. */
  readonly what?: string;
  /** Whose logins hosts are shown. */
  readonly app: AppName;
  /** What an earlier build was held at: taken as it is, without asking the network, unless `renew`. */
  readonly pin?: string | undefined;
  /** Ask the network what a branch or URL holds now. */
  readonly renew: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

/** Bytes of an image's layers as they come, and milliseconds for all of them. */
const imageLimits = { disk: 2 ** 30, time: 600_000 };

type Held = {
  readonly layers: readonly [DiffId, ...DiffId[]];
  readonly submodules?: readonly Submodule[];
};
/** How a repository is reached, and whose what it gives is then; everybody's without a scope. */
type Way = {
  readonly scope?: string;
  readonly login?: Login;
  readonly ssh?: { readonly url: URL; readonly identity: SshIdentity | undefined };
};
type Remote = Extract<BuildpackSource, { kind: 'git' | 'archive' | 'image' }>;

/**
 * Buildpacks by URL, each content fetched once per host: a layer of the shared cache under the name of what was fetched, which
 * for what a login opened is known to those alone whose login it is.
 * Folders of this host are copied as they are now.
 */
export function createFetcher(options: {
  paths: Pick<Paths, 'cache' | 'layers'>;
  layers: LayerStore;
  clock: Clock;
  allowed: AllowedHosts;
  caFile?: string | undefined;
  proxies?: Proxies;
  /** Who apps are to hosts of repositories; nobody when left out. */
  login?: FindLogin;
  /** For repositories by ssh. @throws access-denied for an app that must not use the deploy key */
  sshIdentity?: (app: AppName) => SshIdentity | undefined;
  registries: Pick<Registries, 'resolve' | 'download'>;
}) {
  const { paths, layers, clock } = options;
  const home = join(paths.cache, 'buildpacks');

  const fetched = (
    source: BuildpackSource,
    pin: string,
    { layers: [layer, ...others], submodules = [] }: Held,
  ): Fetched => ({
    source,
    pin,
    layer,
    dir: layers.layerPath(layer),
    parts: others.map(part => ({ layer: part, dir: layers.layerPath(part) })),
    submodules,
  });

  const wayTo = (source: Remote, app: AppName): Way => {
    const url = source.kind === 'git' ? new URL(source.url) : undefined;
    if (url?.protocol === 'ssh:')
      return { scope: 'deploy-key', ssh: { url, identity: options.sshIdentity?.(app) } };
    const login = url?.protocol === 'https:' ? options.login?.(app, url.host) : undefined;
    return login ? { scope: login.scope, login } : {};
  };

  const known = (source: Remote, pin: string, scope?: string): Fetched | undefined => {
    const found = readRecord(join(home, `${keyOf(source, pin, scope)}.json`));
    return found?.layers.every(layers.has) ? fetched(source, pin, found) : undefined;
  };

  const put = async (source: Remote, dir: string): Promise<DiffId> =>
    await layers.put({ dir, scope: 'shared', origin: source.text, owner: appUser });

  const keep = async (
    source: Remote,
    pin: string,
    [first, ...others]: readonly [string, ...string[]],
    { submodules = [], scope }: { submodules?: readonly Submodule[]; scope?: string | undefined } = {},
  ): Promise<Fetched> => {
    const made: [DiffId, ...DiffId[]] = [await put(source, first)];
    for (const dir of others) made.push(await put(source, dir));
    const [layer, ...parts] = made;
    const file = join(home, `${keyOf(source, pin, scope)}.json`);
    const record = { source: source.text, pin, layer, parts, submodules };
    await writeFile(`${file}.${process.pid}.tmp`, JSON.stringify(record));
    await rename(`${file}.${process.pid}.tmp`, file);
    return fetched(source, pin, { layers: made, submodules });
  };

  const fetchImage = async (
    source: Extract<Remote, { kind: 'image' }>,
    scratch: string,
    { app, pin, progress, signal }: FetchOptions,
  ): Promise<Fetched> => {
    const how = { app, progress, signal, limits: imageLimits };
    const ref = pin === undefined ? source.ref : { ...source.ref, digest: pin };
    const found = await options.registries.resolve(ref, how);
    progress.detail(`Digest: ${found.digest}`);
    const again = known(source, found.digest);
    if (again) return again;
    const layout = join(scratch, 'image');
    await mkdir(layout);
    await options.registries.download(found, { ...how, into: layout });
    const dirs = await unpackBuildpackage({ layout, scratch, name: `Image ${source.ref.text}` });
    return await keep(source, found.digest, dirs);
  };

  const fetchRemote = async (source: Remote, how: FetchOptions): Promise<Fetched> => {
    const { pin, progress, signal } = how;
    const scratch = await makeScratch(home, clock.now());
    let ssh: SshAccess | undefined;
    try {
      progress.step(`Fetching ${how.what ?? 'buildpack'} ${source.text}`);
      const { allowed, caFile, proxies } = options;
      const rules = { allowed, caFile, proxies, signal };
      if (source.kind === 'image') return await fetchImage(source, scratch, how);
      const into = join(scratch, 'files');
      await mkdir(into, { mode: 0o755 });
      if (source.kind === 'archive') {
        const file = join(scratch, 'archive');
        const sha256 = await download(new URL(source.url), file, rules);
        checkDigest(source, pin, sha256);
        const again = known(source, sha256);
        if (again) return again;
        return await keep(source, sha256, [await unpackDownload(source, file, into)]);
      }
      const user = await ensureSystemUser('wherry-git');
      const ref = pin ?? source.ref;
      const { scope, login, ...way } = wayTo(source, how.app);
      ssh = way.ssh && (await openSshAccess(way.ssh.url, { identity: way.ssh.identity, user, allowed }));
      const request: RepositoryRequest = { url: source.url, ref, scratch, user, rules, login, ssh };
      const remote = await resolveCommit(request);
      progress.detail(`Commit ${remote.commit}`);
      const again = known(source, remote.commit, scope);
      if (again) return again;
      const submodules = await checkOutCommit(request, remote, into);
      return await keep(source, remote.commit, [into], { submodules, scope });
    } finally {
      await ssh?.close();
      await rm(scratch, { recursive: true, force: true });
    }
  };

  return {
    /** @throws access-denied, unavailable, not-found, invalid: the sentence names the buildpack's URL */
    async fetch(source: Exclude<BuildpackSource, { kind: 'built-in' }>, how: FetchOptions): Promise<Fetched> {
      if (source.kind === 'folder') {
        const layer = await copyFolder(source.path, { layers, tmp: join(paths.layers, 'tmp') });
        return fetched(source, layer, { layers: [layer] });
      }
      const fixed = fixedPin(source);
      const held = fixed ?? how.pin;
      const have = held === undefined ? undefined : known(source, held, wayTo(source, how.app).scope);
      if (have && (fixed !== undefined || !how.renew)) return have;
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

/** What its own name holds it at. */
function fixedPin(source: Remote): string | undefined {
  if (source.kind === 'image') return source.ref.digest;
  return source.kind === 'archive' ? source.sha256 : undefined;
}

function keyOf(source: Remote, pin: string, scope?: string): string {
  const address = source.kind === 'image' ? `${source.ref.registry}/${source.ref.repository}` : source.url;
  return createHash('sha256')
    .update(JSON.stringify([source.kind, address, pin, ...(scope === undefined ? [] : [scope])]))
    .digest('hex')
    .slice(0, 32);
}

function readRecord(file: string): Held | undefined {
  try {
    const {
      layer,
      parts = [],
      submodules = [],
    } = JSON.parse(readFileSync(file, 'utf8')) as {
      layer: DiffId;
      parts?: DiffId[];
      submodules?: Submodule[];
    };
    return { layers: [layer, ...parts], submodules };
  } catch {
    return undefined;
  }
}
