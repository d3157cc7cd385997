import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'smol-toml';
import type { DiffId } from '../../domain/image.ts';
import type { LayerStore } from '../layers/store.ts';
import type { Runtime } from '../runtimes/runtimes.ts';
import type { EnvChange } from './environment.ts';
import { launcherPath, processFolder, renderLauncher, shellPath } from './launcher.ts';
import { type Merged, mergeProcesses } from './processes.ts';
import type { BuildpackRecord } from './record.ts';
import { renderShell } from './shell.ts';
import type { WorkFolder } from './work-folder.ts';

export type LauncherOptions = {
  readonly layers: LayerStore;
  readonly work: WorkFolder;
  readonly runtimes: readonly Runtime[];
  readonly buildpacks: readonly BuildpackRecord[];
};

/** Launcher, process links and the image's own description as one layer: it changes only with what is launched and how. */
export async function putLauncher({ layers, work, runtimes, buildpacks }: LauncherOptions): Promise<DiffId> {
  const merged = mergeProcesses(buildpacks.map(({ processes }) => processes));
  const launched = buildpacks.map(buildpack =>
    buildpack.layers.filter(({ flags }) => flags.launch).map(({ launch }) => launch),
  );
  const all = launched.flat();
  const changes = [
    ...runtimeChanges(runtimes.filter(({ launch }) => launch)),
    // Folders of all layers of a buildpack, then their files: as the reference does it.
    ...launched.flatMap(of => [...of.flatMap(({ paths }) => paths), ...of.flatMap(({ env }) => env)]),
  ];
  const programs = all.flatMap(launch => launch.programs);
  const root = work.folder('export/launcher');
  const write = (path: string, text: string, mode: number) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  };
  write(launcherPath, renderLauncher({ changes, programs, processes: merged.processes }), 0o755);
  write(shellPath, renderShell(all.flatMap(launch => launch.profiles)), 0o755);
  write('/layers/config/metadata.toml', describe(buildpacks, merged), 0o644);
  mkdirSync(join(root, processFolder));
  for (const { type } of merged.processes) symlinkSync(launcherPath, join(root, processFolder, type));
  return await layers.put({ dir: root, scope: 'app', origin: 'launcher', owner: { uid: 0, gid: 0 } });
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

function describe(buildpacks: readonly BuildpackRecord[], { processes, defaultType }: Merged): string {
  return stringify({
    ...(defaultType === undefined ? {} : { 'buildpack-default-process-type': defaultType }),
    buildpacks: buildpacks.map(({ id, version, api }) => ({ id, version, api, optional: false })),
    processes: processes.map(({ type, command, args, direct, workingDir }) => ({
      type,
      command: [...command],
      args: [...args],
      direct,
      'working-dir': workingDir,
    })),
    slices: buildpacks.flatMap(({ slices }) => slices).map(paths => ({ paths: [...paths] })),
  });
}
