import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffId, Image } from '../../domain/image.ts';

/** What a build by classic buildpacks remembers for the next one; no values of config, only a keyed hash. */
export type ClassicRecord = {
  readonly schema: typeof schema;
  /** Stack and buildpacks. */
  readonly base: string;
  /** Source and config as a whole: a classic buildpack does not say what it depends on. */
  readonly whole: string;
  /** The name in STACK: another one starts with an empty cache. */
  readonly stack: string;
  /** What is in the cache folder, or nothing. */
  readonly cache?: DiffId;
  readonly image: Image;
};

export const schema = 2;

export function readClassicRecord(builds: string, app: string): ClassicRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(fileOf(builds, app), 'utf8')) as ClassicRecord;
    return record.schema === schema ? record : undefined;
  } catch {
    return undefined;
  }
}

export function writeClassicRecord(builds: string, app: string, record: ClassicRecord): void {
  mkdirSync(join(builds, app), { recursive: true, mode: 0o700 });
  const draft = `${fileOf(builds, app)}.tmp`;
  writeFileSync(draft, JSON.stringify(record));
  renameSync(draft, fileOf(builds, app));
}

/** Layers that the app's next build starts from. */
export function classicLayersOf({ image, cache }: ClassicRecord): readonly DiffId[] {
  return [...image.layers, ...(cache ? [cache] : [])];
}

function fileOf(builds: string, app: string): string {
  return join(builds, app, 'classic.json');
}
