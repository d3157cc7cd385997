import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfigKey } from '../../domain/names.ts';
import { appUser } from '../stack/recipe.ts';

export type WorkFolder = Awaited<ReturnType<typeof makeWorkFolder>>;

/** Everything one build has on the host, in one folder that is gone afterwards whatever happened. */
export async function makeWorkFolder(parent: string) {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const dir = await mkdtemp(join(parent, 'work-'));
  const folder = (name: string, owned = false) => {
    const path = join(dir, name);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    if (owned) chownSync(path, appUser.uid, appUser.gid);
    return path;
  };
  return {
    dir,
    /** Mounted at /platform. */
    platform: folder('platform'),
    /** Build plans that detects write, one file a buildpack. */
    plans: folder('plans', true),
    /** Plans that builds read. */
    entries: folder('entries'),
    /** Lower folder of /layers: what is restored as files (toml), and the buildpacks' own folders. */
    restored: folder('restored'),
    /** What the build changes in /workspace. */
    app: { upper: folder('app/upper', true), work: folder('app/work') },
    /** What it changes in /layers. */
    layers: { upper: folder('layers/upper'), work: folder('layers/work') },
    /** Where layers are put together. */
    folder,
    /** Config as files that only the build user can read. */
    writeConfig(config: Readonly<Record<string, string>>): void {
      const env = folder('platform/env', true);
      for (const [name, value] of Object.entries(config)) {
        writeFileSync(join(env, parseConfigKey(name)), value, { mode: 0o400, flag: 'wx' });
        chownSync(join(env, name), appUser.uid, appUser.gid);
      }
    },
    async remove(): Promise<void> {
      await rm(dir, { recursive: true, force: true });
    },
  };
}
