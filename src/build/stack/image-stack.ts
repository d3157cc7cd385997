import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { LayerStore } from '../layers/store.ts';
import { readEtcFile } from '../oci/accounts.ts';
import type { ImageFiles } from '../oci/archive.ts';
import { importLayers } from '../oci/import.ts';
import { packagesIn } from './dpkg.ts';
import type { Generation } from './generation.ts';
import { readRelease } from './os-release.ts';
import { appUser, home, stackEnv } from './recipe.ts';

/** An image and what it is called; `open` unpacks it into a folder that is there for it. */
export type StackImage = {
  readonly title: string;
  readonly open: (dir: string, signal: AbortSignal | undefined) => Promise<ImageFiles>;
};
/** Images that a stack is made of; one that is left out stays as it is, and the build image of a new stack is its run image. */
export type StackImages = { readonly run?: StackImage | undefined; readonly build?: StackImage | undefined };

type Made = Omit<Generation, 'number' | 'madeAt'>;
type Half = {
  readonly title: string;
  readonly layers: readonly DiffId[];
  readonly config: ImageFiles['config'];
};

/** Bytes unpacked of one image. */
const largest = 8 * 2 ** 30;

/**
 * Images from elsewhere as a stack: their layers in the cache, and one on top with the user and the folders that apps count on.
 * @throws invalid when run and build image differ in their distribution, or there is no run image
 */
export async function importStack(options: {
  readonly name: string;
  readonly images: StackImages;
  readonly before: Generation | undefined;
  readonly layers: LayerStore;
  /** Work folder on the cache's file system; emptied first. */
  readonly dir: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<Made> {
  const { name, images, before, dir } = options;
  if (!images.run && !before)
    throw new WherryError(
      'invalid',
      `Stack ${name} has no run image yet. Give it with --run, or one image for both with --from.`,
    );
  await rm(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  try {
    const run = images.run && (await bring(images.run, join(dir, 'run'), options));
    const same = images.build === images.run;
    const build = images.build && (same ? run : await bring(images.build, join(dir, 'build'), options));
    return joined(options, run, build ?? (before ? undefined : run));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

type Bringing = { readonly layers: LayerStore; readonly signal?: AbortSignal | undefined };

async function bring({ title, open }: StackImage, dir: string, { layers, signal }: Bringing): Promise<Half> {
  mkdirSync(join(dir, 'files'), { recursive: true });
  const files = await open(join(dir, 'files'), signal);
  const own = await importLayers(files, {
    ...{ builds: dir, layers, name: title, limit: largest, scope: 'shared' as const },
    ...(signal ? { signal } : {}),
  });
  return { title, layers: [...own, await putFit(own, layers, join(dir, 'fit'))], config: files.config };
}

/** The platform's user and folders, as a layer over the image. */
async function putFit(image: readonly DiffId[], layers: LayerStore, root: string): Promise<DiffId> {
  mkdirSync(join(root, 'etc'), { recursive: true });
  const { uid, gid } = appUser;
  const put = (file: 'passwd' | 'group', id: number, line: string) => {
    const text = readEtcFile(file, image, layers.layerPath) ?? '';
    const taken = text.split('\n').some(each => each.split(':')[2] === String(id));
    const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    writeFileSync(join(root, 'etc', file), taken ? text : `${ended}${line}\n`);
  };
  put('passwd', uid, `app:x:${uid}:${gid}:app:${home}:/bin/bash`);
  put('group', gid, `app:x:${gid}:`);
  for (const folder of ['layers', 'cnb', 'platform']) mkdirSync(join(root, folder));
  for (const folder of ['workspace', home]) {
    mkdirSync(join(root, folder), { recursive: true });
    chownSync(join(root, folder), uid, gid);
  }
  return await layers.put({ dir: root, scope: 'shared', origin: 'stack' });
}

function joined(
  { name, before, layers }: { name: string; before: Generation | undefined; layers: LayerStore },
  run: Half | undefined,
  build: Half | undefined,
): Made {
  const of = (half: Half) => packagesIn(half.layers, layers.layerPath);
  const distroOf = (half: Half) => readRelease(half.layers, layers.layerPath);
  const spec = before?.spec.kind === 'image' ? before.spec : undefined;
  const distro = run ? distroOf(run) : before?.distro;
  const other = build ? distroOf(build) : before?.distro;
  if (distro?.name !== other?.name || distro?.version !== other?.version)
    throw new WherryError(
      'invalid',
      `The run image of stack ${name} is of ${describe(distro)} and its build image of ${describe(other)}. Give two of the same distribution.`,
    );
  return {
    stack: name,
    spec: {
      kind: 'image',
      run: run?.title ?? spec?.run ?? '',
      build: build?.title ?? spec?.build ?? '',
    },
    id: (run ? idOf(run) : before?.id) ?? name,
    distro: distro ?? { name: '', version: '' },
    env: run ? envOf(run) : (before?.env ?? {}),
    run: run?.layers ?? before?.run ?? [],
    build: build?.layers ?? before?.build ?? [],
    packages: {
      run: run ? of(run) : (before?.packages.run ?? {}),
      build: build ? of(build) : (before?.packages.build ?? {}),
    },
  };
}

function describe(distro: Generation['distro'] | undefined): string {
  return distro?.name ? `${distro.name} ${distro.version}`.trim() : 'no distribution that it names';
}

function idOf({ config }: Half): string | undefined {
  const labels = config.config?.Labels ?? {};
  const id = labels['io.buildpacks.base.id'] ?? labels['io.buildpacks.stack.id'];
  return id !== undefined && /^[\w.:/-]{1,200}$/.test(id) ? id : undefined;
}

/** The image's own environment; its PATH where it has one, and a home that the platform's user has. */
function envOf({ config }: Half): Readonly<Record<string, string>> {
  const own = (config.config?.Env ?? []).flatMap(line => {
    const [, key, value] = /^([A-Za-z_]\w*)=([^\0]*)$/s.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  return { PATH: stackEnv.PATH, LANG: 'C.UTF-8', ...Object.fromEntries(own), HOME: home };
}
