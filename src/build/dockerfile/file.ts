import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { insideBuildDir } from '../build-dir.ts';
import type { BuildRequest } from '../builder.ts';
import { readSmallFile } from '../read-file.ts';

type Asked = Pick<BuildRequest, 'app' | 'source' | 'dockerfile'>;

/** Whether an app without a word on its buildpacks is built by its Dockerfile: as dokku, unless it has a project.toml. */
export function hasDockerfile({ source, dockerfile }: Asked): boolean {
  const has = (name: string) => lstatSync(join(source.dir, name), { throwIfNoEntry: false }) !== undefined;
  return has(dockerfile?.path ?? 'Dockerfile') && !has('project.toml');
}

/** Its text. @throws build-failed when the app has none where it is said to be */
export function readDockerfile({ app, source, dockerfile }: Asked): string {
  const path = dockerfile?.path ?? 'Dockerfile';
  const text = readSmallFile(fileIn(source, path), path);
  if (text !== undefined) return text;
  const commit = source.commit.slice(0, 8);
  throw new WherryError(
    'build-failed',
    `Builder dockerfile was selected for ${app}, and commit ${commit} has no ${path}. Push one, or unset the builder.`,
    { hint: `builder:set ${app} selected` },
  );
}

/** The file of what is left out of the context, as docker looks for it: the Dockerfile's own, else the app's. */
export function ignoreFileOf({ source, dockerfile }: Asked): string | undefined {
  const names = [`${dockerfile?.path ?? 'Dockerfile'}.dockerignore`, '.containerignore', '.dockerignore'];
  return names.find(name => readSmallFile(join(source.dir, name), name) !== undefined);
}

/** Folders on the way are real ones. */
function fileIn(source: Asked['source'], path: string): string {
  const at = path.lastIndexOf('/');
  const { dir } = at < 0 ? source : insideBuildDir(source, path.slice(0, at));
  return join(dir, path.slice(at + 1));
}
