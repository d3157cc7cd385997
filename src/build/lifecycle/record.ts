import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffId, Image } from '../../domain/image.ts';
import type { Runtime } from '../runtimes/runtimes.ts';
import type { EnvChange } from './environment.ts';
import type { Inputs, Snapshot } from './inputs.ts';
import type { LaunchProcess } from './launch.ts';
import type { Plan } from './plan.ts';

// What a build remembers of the last one of its app. It holds no values of config: hashes with a key of this data directory.

export type LayerFlags = { readonly build: boolean; readonly launch: boolean; readonly cache: boolean };

export type LayerRecord = {
  readonly name: string;
  readonly flags: LayerFlags;
  /** The `metadata` table that the buildpack wrote, given back to it. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** None for a layer that has a toml and no folder. */
  readonly diffId?: DiffId;
  readonly launch: LayerLaunch;
};

/** What a layer does at launch. */
export type LayerLaunch = {
  /** Its folders in front of the path variables: before the environment of any layer of the same buildpack. */
  readonly paths: readonly EnvChange[];
  readonly env: readonly ForType<EnvChange>[];
  /** Programs (`exec.d`) that print environment, and scripts (`profile.d`) that a shell sources, as paths in the image. */
  readonly programs: readonly ForType<{ readonly path: string }>[];
  readonly profiles: readonly ForType<{ readonly path: string }>[];
};

/** For every process type, or for one. */
export type ForType<Item> = Item & { readonly type?: string };

export type BuildpackRecord = {
  readonly id: string;
  readonly version: string;
  readonly api: string;
  readonly homepage?: string;
  readonly layers: readonly LayerRecord[];
  readonly store?: Readonly<Record<string, unknown>>;
  readonly processes: readonly LaunchProcess[];
  readonly labels: Readonly<Record<string, string>>;
  readonly slices: readonly (readonly string[])[];
  /** Bills of materials of its layers, given back to it. */
  readonly sbom?: DiffId;
  readonly inputs?: Inputs;
};

export type BuildRecord = {
  readonly schema: typeof schema;
  /** Stack, buildpacks and rules of this version of Wherry: nothing is reused across a change of it. */
  readonly base: string;
  /** Source and config as a whole, for groups that do not say what they depend on. */
  readonly whole: string;
  readonly detectSnapshot?: Snapshot;
  readonly buildSnapshot?: Snapshot;
  readonly group: readonly string[];
  readonly plan: Plan;
  readonly runtimes: readonly Runtime[];
  readonly buildpacks: readonly BuildpackRecord[];
  /** What the build wrote into /workspace. */
  readonly built?: DiffId;
  readonly launcher: DiffId;
  /** Bills of materials in the image. */
  readonly sbom?: DiffId;
  readonly source: DiffId;
  readonly image: Image;
};

export const schema = 4;

/** The app's last record; undefined when there is none that this version understands. */
export function readRecord(builds: string, app: string): BuildRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(fileOf(builds, app), 'utf8')) as BuildRecord;
    return record.schema === schema ? record : undefined;
  } catch {
    return undefined;
  }
}

export function writeRecord(builds: string, app: string, record: BuildRecord): void {
  mkdirSync(join(builds, app), { recursive: true, mode: 0o700 });
  const draft = `${fileOf(builds, app)}.tmp`;
  writeFileSync(draft, JSON.stringify(record));
  renameSync(draft, fileOf(builds, app));
}

/** Layers that an app's next build starts from: its last image's and those that are only cached. */
export function layersOf(record: BuildRecord): readonly DiffId[] {
  const own = record.buildpacks.flatMap(({ layers }) => layers.flatMap(({ diffId }) => diffId ?? []));
  const sboms = record.buildpacks.flatMap(({ sbom }) => sbom ?? []);
  // The source and what was built are no layers of an image with slices.
  const app = [record.source, ...(record.built ? [record.built] : [])];
  return [...record.image.layers, ...own, ...sboms, ...app, ...record.runtimes.map(({ layer }) => layer)];
}

export function appsWithRecords(builds: string): readonly string[] {
  try {
    return readdirSync(builds);
  } catch {
    return [];
  }
}

function fileOf(builds: string, app: string): string {
  return join(builds, app, 'record.json');
}
