import { dirname } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId, Image } from '../../domain/image.ts';
import type { AppJson } from '../app-json.ts';
import { identified } from '../image-id.ts';
import type { Runtime } from '../runtimes/runtimes.ts';
import type { Generation } from '../stack/generation.ts';
import { appUser } from '../stack/recipe.ts';
import { labelsOf } from './labels.ts';
import { launcherPath, processFolder } from './launcher.ts';
import { mergeProcesses, specOf } from './processes.ts';
import type { BuildpackRecord } from './record.ts';

export type ImageParts = {
  readonly stack: Pick<Generation, 'stack' | 'id' | 'distro' | 'env' | 'run'>;
  readonly runtimes: readonly Runtime[];
  readonly buildpacks: readonly BuildpackRecord[];
  /** Bills of materials of what is launched. */
  readonly sbom?: DiffId | undefined;
  /** The app as one layer or more: as pushed, and what the build changed; or its slices and the rest. */
  readonly app: readonly DiffId[];
  readonly launcher: DiffId;
  readonly appJson: AppJson;
};

/** An image is a pure function of its parts, so equal inputs give an equal id on any host. @throws build-failed without processes */
export function assembleImage(parts: ImageParts): Image {
  const { stack, runtimes, buildpacks, sbom, app, launcher, appJson } = parts;
  const launch = buildpacks.flatMap(({ layers }) =>
    layers.flatMap(({ flags, diffId }) => (flags.launch && diffId ? [diffId] : [])),
  );
  const merged = mergeProcesses(buildpacks.map(({ processes }) => processes));
  if (merged.processes.length === 0) {
    throw new WherryError(
      'build-failed',
      'The build gave no process to run. Add a Procfile with a line such as "web: npm start".',
    );
  }
  const content: Omit<Image, 'id'> = {
    layers: [
      ...new Set([
        ...stack.run,
        ...launched(runtimes).map(({ layer }) => layer),
        ...launch,
        ...(sbom ? [sbom] : []),
        ...app,
        launcher,
      ]),
    ],
    env: {
      ...stack.env,
      PATH: `${processFolder}:${dirname(launcherPath)}:${stack.env['PATH'] ?? ''}`,
      CNB_LAYERS_DIR: '/layers',
      CNB_APP_DIR: '/workspace',
    },
    workingDir: '/workspace',
    user: appUser,
    entrypoint: [launcherPath, '--'],
    processes: merged.processes.map(specOf),
    ...appJson.parts,
    labels: labelsOf({ stack, runtimes: launched(runtimes), app, launcher, buildpacks, merged }),
  };
  return identified(content);
}

function launched(runtimes: readonly Runtime[]): readonly Runtime[] {
  return runtimes.filter(({ launch }) => launch);
}
