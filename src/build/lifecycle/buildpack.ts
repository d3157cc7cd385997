import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { exec } from '../../system/exec.ts';
import type { LayerStore } from '../layers/store.ts';
import { readToml } from '../toml.ts';
import { type Inputs, inputsSchema } from './inputs.ts';

/** Cloud Native Buildpacks, Buildpack API: the versions whose rules this lifecycle follows. */
const supportedApis = ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12'];
const reservedIds = new Set(['app', 'config', 'generated', 'sbom']);

export type Buildpack = {
  readonly id: string;
  readonly version: string;
  readonly api: string;
  /** Host folder with `buildpack.toml` and `bin/`. */
  readonly dir: string;
  /** Hash of the folder: another content is another buildpack, whatever its version says. */
  readonly digest: DiffId;
  /** Config reaches it as files only, not as environment. */
  readonly clearEnv: boolean;
  /** What its detect depends on, if it says so. */
  readonly detectInputs?: Inputs;
};

const schema = z.looseObject({
  api: z.string(),
  buildpack: z.looseObject({
    id: z.string().regex(/^[A-Za-z0-9./-]+$/, 'has other characters than letters, digits, ".", "/" and "-"'),
    version: z.string().regex(/^\d+\.\d+\.\d+$/, 'is not X.Y.Z'),
    'clear-env': z.boolean().default(false),
  }),
  order: z.array(z.unknown()).optional(),
  metadata: z
    .looseObject({ wherry: z.looseObject({ 'detect-inputs': inputsSchema.optional() }).optional() })
    .optional(),
});

/** Every buildpack in a folder of folders. @throws build-failed */
export async function loadBuildpacks(dir: string, shelf: Shelf): Promise<ReadonlyMap<string, Buildpack>> {
  const folders = readdirSync(dir, { withFileTypes: true }).filter(entry => entry.isDirectory());
  const loaded = await Promise.all(
    folders.map(async ({ name }) => await readBuildpack(join(dir, name), shelf)),
  );
  return new Map(loaded.map(buildpack => [buildpack.id, buildpack]));
}

/** Where copies of buildpacks are kept. */
export type Shelf = {
  readonly layers: LayerStore /** On the file system of the data directory's layers. */;
  readonly tmp: string;
};

/**
 * A copy in the layer store: builds mount what cannot change under them, and what the build user can read whatever umask
 * the installation was made under.
 */
async function shelve(dir: string, { layers, tmp }: Shelf): Promise<DiffId> {
  await mkdir(tmp, { recursive: true });
  const copy = await mkdtemp(join(tmp, 'buildpack-'));
  await cp(dir, copy, { recursive: true, verbatimSymlinks: true });
  await exec('chmod', ['-R', 'u=rwX,go=rX', copy]);
  return await layers.put({ dir: copy, scope: 'app', origin: 'buildpack', owner: { uid: 0, gid: 0 } });
}

async function readBuildpack(dir: string, shelf: Shelf): Promise<Buildpack> {
  const digest = await shelve(dir, shelf);
  return describeBuildpack(shelf.layers.layerPath(digest), { name: dir, digest });
}

/**
 * A buildpack whose folder never changes, by its descriptor; `name` is what people know it by.
 * @throws build-failed when the descriptor is wrong or asks for what is not supported
 */
export function describeBuildpack(
  dir: string,
  { name, digest }: { name: string; digest: DiffId },
): Buildpack {
  const toml = readToml({ file: join(dir, 'buildpack.toml'), name: `buildpack.toml in ${name}`, schema });
  if (!toml) throw new WherryError('build-failed', `${name} holds no buildpack.toml. Add one.`);
  const { id, version } = toml.buildpack;
  const refuse = (reason: string) => new WherryError('build-failed', `Buildpack ${id}@${version} ${reason}`);
  if (!supportedApis.includes(toml.api)) {
    throw refuse(
      `asks for Buildpack API ${toml.api}. Use a version of it for one of ${supportedApis.join(', ')}.`,
    );
  }
  if (reservedIds.has(id.toLowerCase()) || id.split('/').some(part => part === '' || /^\.+$/.test(part))) {
    throw refuse('has a reserved id. Rename it.');
  }
  if (toml.order)
    throw refuse('is made of other buildpacks, which is not supported yet. Name those instead.');
  const detectInputs = toml.metadata?.wherry?.['detect-inputs'];
  return {
    id,
    version,
    api: toml.api,
    dir,
    digest,
    clearEnv: toml.buildpack['clear-env'],
    ...(detectInputs ? { detectInputs } : {}),
  };
}

/** A buildpack's id as a folder name in /layers and /cnb/buildpacks. */
export function escapedId(id: string): string {
  return id.replaceAll('/', '_');
}
