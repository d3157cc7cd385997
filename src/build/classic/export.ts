import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId, Image } from '../../domain/image.ts';
import { type ProcessType, parseProcessType } from '../../domain/names.ts';
import type { AppJson } from '../app-json.ts';
import { identified } from '../image-id.ts';
import { flatten } from '../layers/flatten.ts';
import { opaqueFolders } from '../layers/opaque.ts';
import { isWhiteout } from '../layers/walk.ts';
import type { Run } from '../lifecycle/run.ts';
import { parseProcfile } from '../procfile.ts';
import { readSmallFile } from '../read-file.ts';
import { baseLabels } from '../rebase-labels.ts';
import type { Generation } from '../stack/generation.ts';
import { appUser } from '../stack/recipe.ts';
import { classicLauncher, launcherPath } from './launcher.ts';
import type { ReleaseInfo } from './release-yaml.ts';

type Exporting = Pick<Run, 'layers' | 'work'>;

/** What the build wrote into /app, as a layer over the source; undefined when it wrote nothing. */
export async function exportApp({ layers, work }: Exporting, source: string): Promise<DiffId | undefined> {
  const { upper } = work.app;
  if (readdirSync(upper).length === 0) return undefined;
  const opaque = await opaqueFolders(upper, [source]);
  const root = work.folder('export/app');
  renameSync(upper, join(root, 'app'));
  const prefixed = new Set([...opaque].map(path => `app/${path}`));
  return await layers.put({ dir: root, scope: 'app', origin: 'build', owner: appUser, opaque: prefixed });
}

/** The cache folder for the next build, as one layer; the last one's when nothing was written. */
export async function exportCache(
  { layers, work }: Exporting,
  { upper, last }: { upper: string; last: DiffId | undefined },
): Promise<DiffId | undefined> {
  if (readdirSync(upper).length === 0) return last;
  const root = work.folder('export/cache');
  if (last) {
    const lower = join(layers.layerPath(last), 'cache');
    await flatten({ lower, upper, opaque: await opaqueFolders(upper, [lower]), out: join(root, 'cache') });
  } else {
    renameSync(upper, join(root, 'cache'));
  }
  return await layers.put({ dir: root, scope: 'app', origin: 'cache', owner: appUser });
}

/** Commands by process type: the Procfile's, also one that the build wrote, over the last buildpack's. @throws build-failed */
export function processesOf(run: Exporting, source: string, release: ReleaseInfo): Image['processes'] {
  const text = readMerged(run.work.app.upper, source, 'Procfile');
  const commands = new Map<ProcessType, string>();
  for (const [type, command] of release.processes) commands.set(parseProcessType(type), command);
  for (const [type, command] of text === undefined ? [] : parseProcfile(text).processes)
    commands.set(type, command);
  if (commands.size === 0)
    throw new WherryError(
      'build-failed',
      'The build gave no process to run. Add a Procfile with a line such as "web: npm start".',
    );
  return [...commands]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, command]) => ({ type, command: ['bash', '-c', command], workingDir: '/app' }));
}

/** The launcher as a layer, the same for every app. */
export async function putClassicLauncher({ layers, work }: Exporting): Promise<DiffId> {
  const root = work.folder('export/launcher');
  const file = join(root, launcherPath);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, classicLauncher);
  chmodSync(file, 0o755);
  return await layers.put({ dir: root, scope: 'app', origin: 'launcher', owner: { uid: 0, gid: 0 } });
}

/** Lowest first: stack, source, what the build wrote, launcher; `layers` are those above the stack. */
export function classicImage(parts: {
  base: Generation;
  layers: readonly DiffId[];
  stack: string;
  release: ReleaseInfo;
  processes: Image['processes'];
  buildpacks: readonly { text: string; pin: string }[];
  appJson: AppJson;
}): Image {
  const { appJson, base, release } = parts;
  return identified({
    layers: [...new Set([...base.run, ...parts.layers])],
    env: { ...base.env, ...Object.fromEntries(release.config), HOME: '/app', STACK: parts.stack },
    workingDir: '/app',
    user: appUser,
    entrypoint: [launcherPath],
    processes: parts.processes,
    ...appJson.parts,
    labels: {
      ...baseLabels(base, []),
      'io.wherry.classic-buildpacks': JSON.stringify(parts.buildpacks),
    },
  });
}

function readMerged(upper: string, lower: string, name: string): string | undefined {
  const above = lstatSync(join(upper, name), { throwIfNoEntry: false });
  if (above && isWhiteout(above)) return undefined;
  return readSmallFile(join(above ? upper : lower, name), name);
}
