import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { exec } from '../../system/exec.ts';
import type { LayerStore } from '../layers/store.ts';
import { readToml } from '../toml.ts';
import { supportedApis } from './api.ts';
import type { NamedOrder } from './composite.ts';
import { type Inputs, inputsSchema } from './inputs.ts';
import { execEnvs } from './launch.ts';
import { programTrouble } from './programs.ts';
import { stacksSchema, type Target, targetsOf, targetsSchema } from './targets.ts';

const reservedIds = new Set(['app', 'config', 'generated', 'sbom']);

export type Buildpack = {
  readonly id: string;
  readonly version: string;
  readonly api: string;
  /** Host folder with `buildpack.toml` and `bin/`. */
  readonly dir: string;
  /** Hash of the folder: another content is another buildpack, whatever its version says. */
  readonly digest: DiffId;
  readonly homepage?: string;
  /** What it runs on. */
  readonly targets: readonly Target[];
  /** Execution environments that it is for; none means all. */
  readonly execEnvs: readonly string[];
  /** Media types of the bills of materials that it may write. */
  readonly sbomFormats: readonly string[];
  /** Of a composite buildpack: the others that it is made of. It has no programs. */
  readonly order?: NamedOrder;
  /** Config reaches it as files only, not as environment. */
  readonly clearEnv: boolean;
  /** Its descriptor has a table for Wherry: then `inputs.toml` and `failure.toml` of its builds are no layers. */
  readonly extended: boolean;
  /** What its detect depends on, if it says so. */
  readonly detectInputs?: Inputs;
  /** Names in the app's folder without any of which its detect fails, if it says so. */
  readonly detectNeeds?: readonly string[];
};

/** Of the folder itself alone: on the way into another one there may be links. */
const needsSchema = z
  .array(z.string().regex(/^[^/]{1,255}$/, 'is not a name in the folder of the app'))
  .max(100);

const schema = z.looseObject({
  api: z.string(),
  buildpack: z.looseObject({
    id: z.string().regex(/^[A-Za-z0-9./-]+$/, 'has other characters than letters, digits, ".", "/" and "-"'),
    // X.Y.Z by the specification, any text by the reference; here it is the name of a folder, too.
    version: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}$/,
        'has other characters than letters, digits, ".", "_", "+", "~" and "-"',
      ),
    homepage: z.string().max(2000).optional(),
    'clear-env': z.boolean().default(false),
    'exec-env': execEnvs,
    'sbom-formats': z.array(z.string()).max(100).default([]),
  }),
  targets: targetsSchema,
  stacks: stacksSchema,
  order: z
    .array(
      z.looseObject({
        group: z
          .array(
            z.looseObject({
              id: z.string(),
              version: z.string().optional(),
              optional: z.boolean().default(false),
            }),
          )
          .max(200),
      }),
    )
    .max(200)
    .optional(),
  metadata: z
    .looseObject({
      wherry: z
        .looseObject({ 'detect-inputs': inputsSchema.optional(), 'detect-needs': needsSchema.optional() })
        .optional(),
    })
    .optional(),
});

/** Every buildpack in a folder of folders. @throws build-failed, also for two with one id */
export async function loadBuildpacks(dir: string, shelf: Shelf): Promise<ReadonlyMap<string, Buildpack>> {
  const folders = readdirSync(dir, { withFileTypes: true }).filter(entry => entry.isDirectory());
  const loaded = await Promise.all(
    folders.map(async ({ name }) => await readBuildpack(join(dir, name), shelf)),
  );
  for (const [index, { id }] of loaded.entries()) {
    const other = loaded.findIndex(buildpack => buildpack.id.toLowerCase() === id.toLowerCase());
    if (other !== index)
      throw new WherryError('build-failed', `Two buildpacks have the id ${id}. Remove or rename one.`);
  }
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
  if (existsSync(join(dir, 'extension.toml')))
    throw new WherryError(
      'build-failed',
      `${name} is an image extension, which Wherry does not run. Name system packages in an Aptfile instead.`,
    );
  const toml = readToml({ file: join(dir, 'buildpack.toml'), name: `buildpack.toml in ${name}`, schema });
  if (!toml) throw new WherryError('build-failed', `${name} holds no buildpack.toml. Add one.`);
  checkDescriptor(toml, dir);
  const { buildpack, order } = toml;
  const { 'detect-inputs': detectInputs, 'detect-needs': detectNeeds } = toml.metadata?.wherry ?? {};
  return {
    id: buildpack.id,
    version: buildpack.version,
    api: toml.api,
    dir,
    digest,
    ...(buildpack.homepage === undefined ? {} : { homepage: buildpack.homepage }),
    targets: targetsOf(toml.targets, toml.stacks),
    execEnvs: buildpack['exec-env'],
    sbomFormats: buildpack['sbom-formats'],
    clearEnv: buildpack['clear-env'],
    extended: toml.metadata?.wherry !== undefined,
    ...(detectInputs ? { detectInputs } : {}),
    ...(detectNeeds ? { detectNeeds } : {}),
    ...(order ? { order: order.map(({ group }) => group) } : {}),
  };
}

function checkDescriptor({ api, buildpack, order }: z.infer<typeof schema>, dir: string): void {
  const { id, version } = buildpack;
  const refuse = (reason: string) => new WherryError('build-failed', `Buildpack ${id}@${version} ${reason}`);
  if (!supportedApis.includes(api)) {
    throw refuse(
      `asks for Buildpack API ${api}. Use a version of it for one of ${supportedApis.join(', ')}.`,
    );
  }
  if (reservedIds.has(id.toLowerCase()) || id.split('/').some(part => part === '' || /^\.+$/.test(part))) {
    throw refuse('has a reserved id. Rename it.');
  }
  if (order && existsSync(join(dir, 'bin')))
    throw refuse(
      'is made of other buildpacks and has programs of its own. Remove its bin folder or its order.',
    );
  const trouble = order ? undefined : programTrouble(dir);
  if (trouble !== undefined) throw refuse(trouble);
}

/** A buildpack's id as a folder name in /layers and /cnb/buildpacks. */
export function escapedId(id: string): string {
  return id.replaceAll('/', '_');
}
