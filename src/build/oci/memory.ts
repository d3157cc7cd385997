import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DiffId, Image } from '../../domain/image.ts';

/** What an app's last image that no buildpack made came from; raise `schema` when what comes out of the same changes. */
type Memory = { readonly schema: typeof schema; readonly key: string; readonly image: Image };

const schema = 1;

/** The image made last, if it was made from `key`. */
export function remembered(builds: string, app: string, key: string): Image | undefined {
  const memory = read(builds, app);
  return memory?.key === key ? memory.image : undefined;
}

/** Layers that stay while the app has them as its last, whatever releases there are. */
export function rememberedLayers(builds: string, app: string): readonly DiffId[] {
  return read(builds, app)?.image.layers ?? [];
}

export function remember(builds: string, app: string, made: { key: string; image: Image }): void {
  const file = fileOf(builds, app);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.tmp`, JSON.stringify({ schema, ...made } satisfies Memory));
  renameSync(`${file}.tmp`, file);
}

function read(builds: string, app: string): Memory | undefined {
  try {
    const memory = JSON.parse(readFileSync(fileOf(builds, app), 'utf8')) as Memory;
    return memory.schema === schema ? memory : undefined;
  } catch {
    return undefined;
  }
}

function fileOf(builds: string, app: string): string {
  return join(builds, app, 'image.json');
}
