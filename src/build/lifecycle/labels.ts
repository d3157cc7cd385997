import type { DiffId } from '../../domain/image.ts';
import { baseLabels } from '../rebase-labels.ts';
import type { Runtime } from '../runtimes/runtimes.ts';
import type { Generation } from '../stack/generation.ts';
import { execEnv } from './launch.ts';
import { launcherPath } from './launcher.ts';
import type { Merged } from './processes.ts';
import type { BuildpackRecord } from './record.ts';

export type LabelParts = {
  readonly stack: Pick<Generation, 'stack' | 'id' | 'distro' | 'run'>;
  readonly runtimes: readonly Runtime[];
  readonly app: readonly DiffId[];
  readonly launcher: DiffId;
  readonly buildpacks: readonly BuildpackRecord[];
  readonly merged: Merged;
};

/**
 * What the image says of itself (CNB Platform API, "Labels"), the buildpacks' own labels last. Nothing of it tells when or
 * from which commit it was built: equal content is an equal image.
 */
export function labelsOf(parts: LabelParts): Readonly<Record<string, string>> {
  return {
    ...baseLabels(parts.stack, parts.runtimes),
    'io.buildpacks.exec-env': execEnv,
    'io.buildpacks.build.metadata': JSON.stringify(buildMetadata(parts)),
    'io.buildpacks.lifecycle.metadata': JSON.stringify(lifecycleMetadata(parts)),
    ...Object.fromEntries(parts.buildpacks.flatMap(({ labels }) => Object.entries(labels))),
  };
}

function buildMetadata({ buildpacks, merged }: LabelParts) {
  return {
    buildpacks: buildpacks.map(({ id, version, api, homepage }) => ({
      id,
      version,
      api,
      ...(homepage === undefined ? {} : { homepage }),
    })),
    processes: merged.processes.map(({ type, command, args, direct, workingDir }) => ({
      type,
      command,
      args,
      direct,
      workingDir,
    })),
    ...(merged.defaultType === undefined ? {} : { 'buildpack-default-process-type': merged.defaultType }),
    launcher: { path: launcherPath },
  };
}

function lifecycleMetadata({ stack, app, launcher, buildpacks }: LabelParts) {
  const topLayer = stack.run.at(-1);
  return {
    app: app.map(sha => ({ sha })),
    config: { sha: launcher },
    launcher: { sha: launcher },
    buildpacks: buildpacks.map(({ id, version, layers, store }) => ({
      key: id,
      version,
      // What is only cached is no part of the image, and seldom the same twice.
      layers: Object.fromEntries(
        layers
          .filter(({ flags }) => flags.launch)
          .map(({ name, flags, metadata, diffId }) => [
            name,
            { ...(diffId ? { sha: diffId } : {}), data: metadata, ...flags },
          ]),
      ),
      ...(store ? { store: { metadata: store } } : {}),
    })),
    runImage: { ...(topLayer ? { topLayer } : {}), reference: stack.id },
  };
}
