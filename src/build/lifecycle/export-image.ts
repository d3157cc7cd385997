import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId, Image, ImageId } from '../../domain/image.ts';
import type { AppJson } from '../app-json.ts';
import type { LayerStore } from '../layers/store.ts';
import type { Runtime } from '../runtimes/runtimes.ts';
import { appUser, distro, stackEnv, stackId } from '../stack/recipe.ts';
import type { EnvChange } from './environment.ts';
import { mergeProcesses } from './launch.ts';
import { renderLauncher } from './launcher.ts';
import type { BuildpackRecord } from './record.ts';
import type { WorkFolder } from './work-folder.ts';

const launcherPath = '/cnb/lifecycle/launcher';

export type ImageParts = {
  /** Layers of the run image. */
  readonly stack: readonly DiffId[];
  readonly runtimes: readonly Runtime[];
  readonly buildpacks: readonly BuildpackRecord[];
  readonly source: DiffId;
  readonly built?: DiffId | undefined;
  readonly launcher: DiffId;
  readonly appJson: AppJson;
};

/** An image is a pure function of its parts, so equal inputs give an equal id on any host. @throws build-failed without processes */
export function assembleImage(parts: ImageParts): Image {
  const { stack, runtimes, buildpacks, source, built, launcher, appJson } = parts;
  const launch = buildpacks.flatMap(({ layers }) =>
    layers.flatMap(({ flags, diffId }) => (flags.launch && diffId ? [diffId] : [])),
  );
  const processes = mergeProcesses(buildpacks.map(buildpack => buildpack.processes));
  if (processes.length === 0) {
    throw new WherryError(
      'build-failed',
      'The build gave no process to run. Add a Procfile with a line such as "web: npm start".',
    );
  }
  const content: Omit<Image, 'id'> = {
    layers: [
      ...new Set([
        ...stack,
        ...launched(runtimes).map(({ layer }) => layer),
        ...launch,
        source,
        ...(built ? [built] : []),
        launcher,
      ]),
    ],
    env: { ...stackEnv, CNB_LAYERS_DIR: '/layers', CNB_APP_DIR: '/workspace' },
    workingDir: '/workspace',
    user: appUser,
    entrypoint: [launcherPath],
    processes,
    ...(appJson.healthcheck ? { healthcheck: appJson.healthcheck } : {}),
    labels: {
      'io.buildpacks.stack.id': stackId,
      'io.buildpacks.base.distro.name': distro.name,
      'io.buildpacks.base.distro.version': distro.version,
      'io.buildpacks.build.metadata': JSON.stringify({
        buildpacks: buildpacks.map(({ id, version }) => ({ id, version })),
      }),
      ...Object.fromEntries(buildpacks.flatMap(({ labels }) => Object.entries(labels))),
    },
  };
  return { id: idOf(content), ...content };
}

/** The launcher as a layer of its own: it changes with the layers' environment only. */
export async function putLauncher(options: {
  layers: LayerStore;
  work: WorkFolder;
  runtimes: readonly Runtime[];
  buildpacks: readonly BuildpackRecord[];
}): Promise<DiffId> {
  const records = options.buildpacks.flatMap(({ layers }) => layers.filter(({ flags }) => flags.launch));
  const changes = [...runtimeChanges(launched(options.runtimes)), ...records.flatMap(({ launch }) => launch)];
  const byType = new Map<string, readonly EnvChange[]>();
  for (const [type, more] of records.flatMap(record => record.byType))
    byType.set(type, [...(byType.get(type) ?? []), ...more]);
  const root = options.work.folder('export/launcher');
  const file = join(root, launcherPath);
  mkdirSync(join(root, 'cnb/lifecycle'), { recursive: true });
  writeFileSync(file, renderLauncher({ changes, byType }));
  chmodSync(file, 0o755);
  return await options.layers.put({ dir: root, scope: 'app', origin: 'launcher', owner: { uid: 0, gid: 0 } });
}

/** Programs of runtimes with a folder of their own, in front of the PATH. */
export function runtimeChanges(runtimes: readonly Runtime[]): readonly EnvChange[] {
  const folders = new Set(runtimes.flatMap(({ folder }) => folder ?? []));
  return [...folders].map(folder => ({
    name: 'PATH',
    action: 'prepend',
    value: `/${folder}/bin`,
    delimiter: ':',
  }));
}

function launched(runtimes: readonly Runtime[]): readonly Runtime[] {
  return runtimes.filter(({ launch }) => launch);
}

function idOf(content: Omit<Image, 'id'>): ImageId {
  return `sha256:${createHash('sha256').update(canonical(content)).digest('hex')}`;
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`;
}
