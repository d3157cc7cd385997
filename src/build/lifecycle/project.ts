import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { WherryError } from '../../domain/errors.ts';
import { walk } from '../layers/walk.ts';
import { type Buildpack, describeBuildpack, escapedId } from './buildpack.ts';
import { orderOf } from './composite.ts';
import type { Order, OrderEntry } from './order.ts';
import { createMatcher } from './patterns.ts';
import { type Project, type ProjectBuildpack, readProject } from './project-toml.ts';
import type { Run } from './run.ts';

/**
 * The run as the app's project.toml wants it: without the files that it leaves out, with its environment and its
 * buildpacks. Buildpacks that somebody named otherwise go before its own. @throws build-failed
 */
export async function withProject(run: Run): Promise<Run> {
  const { request } = run;
  const project = readProject(request.source.dir);
  if (!project) return run;
  leaveOut(request.source.dir, project);
  const config = { ...project.env, ...request.config };
  const written = [...project.group, ...project.pre, ...project.post].filter(({ script }) => script);
  const buildpacks = new Map(run.buildpacks);
  for (const one of written) buildpacks.set(one.id, await putInline(run, one));
  const entries = (list: readonly ProjectBuildpack[]) =>
    list.map(one => addressedEntry(one, run.addressed) ?? entryOf(one, buildpacks));
  const own = project.group.length > 0 && run.kind !== 'native';
  const order = surround({
    order: own ? orderOf([entries(project.group)], buildpacks) : run.order,
    pre: orderOf([entries(project.pre)], buildpacks)[0] ?? [],
    post: orderOf([entries(project.post)], buildpacks)[0] ?? [],
  });
  return { ...run, request: { ...request, config }, buildpacks, order };
}

/** Deletes what does not belong to the app: what `exclude` names, or all that `include` does not. */
export function leaveOut(dir: string, { include, exclude }: Pick<Project, 'include' | 'exclude'>): void {
  if (include.length === 0 && exclude.length === 0) return;
  const matches = createMatcher(include.length > 0 ? include : exclude);
  const gone: string[] = [];
  const whole: string[] = [];
  const inside = (folders: readonly string[], path: string) =>
    folders.some(folder => path.startsWith(`${folder}/`));
  for (const { path, stats } of walk(dir)) {
    if (inside(gone, path) || inside(whole, path)) continue;
    const folder = stats.isDirectory();
    const matched = matches({ path, folder });
    if (include.length === 0) {
      if (matched) gone.push(path);
    } else if (matched) {
      if (folder) whole.push(path);
    } else if (!folder) {
      gone.push(path);
    }
  }
  for (const path of gone) rmSync(join(dir, path), { recursive: true, force: true });
}

/** The groups with these in front and behind, where they are not in them already. */
export function surround(parts: {
  order: Order;
  pre: readonly OrderEntry[];
  post: readonly OrderEntry[];
}): Order {
  return parts.order.map(group => {
    const ids = new Set(group.map(({ buildpack }) => buildpack.id));
    const more = (entries: readonly OrderEntry[]) =>
      entries.filter(({ buildpack }) => !ids.has(buildpack.id));
    return [...more(parts.pre), ...group, ...more(parts.post)];
  });
}

function addressedEntry({ uri, optional }: ProjectBuildpack, addressed: Run['addressed']) {
  const found = uri === undefined ? undefined : addressed?.get(uri);
  return found && { id: found.id, version: found.version, optional };
}

function entryOf({ id, version, optional, script }: ProjectBuildpack, known: ReadonlyMap<string, Buildpack>) {
  if (!known.has(id))
    throw new WherryError(
      'build-failed',
      `project.toml names buildpack ${id}, which is not here. Take one of ${[...known.keys()].join(', ')}, or choose it with buildpacks:add.`,
    );
  return { id, optional, ...(script || version === undefined ? {} : { version }) };
}

/** A buildpack whose build is the script, and which always takes part. */
async function putInline(
  { work, layers }: Run,
  { id, version, script }: ProjectBuildpack,
): Promise<Buildpack> {
  const { api, shell, inline } = script ?? { api: '', shell: '', inline: '' };
  const dir = work.folder(`inline/${escapedId(id)}`);
  mkdirSync(join(dir, 'bin'));
  const descriptor = { api, buildpack: { id, version: version ?? '0.0.0' } };
  writeFileSync(join(dir, 'buildpack.toml'), stringify(descriptor));
  for (const [name, text] of [
    ['detect', 'exit 0'],
    ['build', inline],
  ] as const) {
    writeFileSync(join(dir, 'bin', name), `#!${shell}\n\n${text}\n`);
    chmodSync(join(dir, 'bin', name), 0o755);
  }
  const digest = await layers.put({ dir, scope: 'app', origin: 'buildpack', owner: { uid: 0, gid: 0 } });
  return describeBuildpack(layers.layerPath(digest), { name: 'project.toml', digest });
}
