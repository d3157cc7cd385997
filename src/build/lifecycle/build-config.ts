import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFolder } from '../read-file.ts';
import { type EnvChange, readEnvFolder } from './environment.ts';

/** Where buildpacks find the operator's files as they are. */
export const buildConfigInside = '/cnb/build-config';

/**
 * What the operator of this host sets for every build, as the files of `<folder>/env`: mirrors, certificates, proxies. The
 * suffixes are those of layers, a name without one is a default. It reaches buildpacks that hide the app's config, too.
 */
export function readBuildConfig(folder: string): readonly EnvChange[] {
  return existsSync(folder) ? readEnvFolder([folder], 'env', { bare: 'default' }) : [];
}

/** Copies the files to where the build user can read them. @returns the folder to mount, or none if there are no files */
export function copyBuildConfig(folder: string, to: string): string | undefined {
  const files = existsSync(folder) ? readFolder(folder, 'env').files : new Map<string, string>();
  if (files.size === 0) return undefined;
  const env = join(to, 'env');
  mkdirSync(env, { recursive: true });
  for (const [name, text] of files) {
    writeFileSync(join(env, name), text);
    chmodSync(join(env, name), 0o444);
  }
  return to;
}
