import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { layersHeld } from '../../src/build/collect.ts';
import type { DiffId } from '../../src/domain/image.ts';
import type { InstanceSpec } from '../../src/engine/engine.ts';
import { loadKey } from '../../src/store/key-file.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';
import { createPaths, type Paths } from '../../src/system/paths.ts';
import { memoryLimitOf } from './kernel.ts';
import { leftovers } from './leftovers.ts';
import { run } from './run.ts';

/** The kernel keeps whole pages. */
const largestPage = 65_536;

/** Namespaces that the engine keeps ready for the next instance. */
const readyAhead = 4;

/**
 * What a data directory has in the kernel and on disk that nobody needs, while its daemon runs and no build or deploy does: `[]` when
 * all is right. What should be is taken from the database, what is from the kernel and the folders. Cleaning up goes on behind
 * everybody's back, so ask until it is.
 */
export async function strays(data: string): Promise<readonly string[]> {
  const paths = createPaths({ data });
  const wanted = readWanted(paths);
  const instances = readInstances(paths);
  const needed = instances.filter(({ spec }) => isWanted(spec, wanted.live));
  const ids = new Set(needed.map(({ spec }) => spec.id));
  return [
    ...wanted.unfinished,
    ...tell('instance', instances, ({ spec }) => (ids.has(spec.id) ? undefined : spec.id)),
    ...tell('second instance', needed, ({ spec }, at) =>
      needed.findIndex(other => placeOf(other.spec) === placeOf(spec)) === at ? undefined : spec.id,
    ),
    ...tell('folder', engineFolders(paths), path => (ids.has(lastOf(path)) ? undefined : path)),
    ...(await inKernel(paths, needed)),
    ...tell('limit', needed, ({ spec }) => wrongLimit(data, spec)),
    ...tell('work folder', workFolders(paths), path => path),
    ...tell('git leftover', gitLeftovers(paths), path => path),
    ...tell('layer', halfLayers(paths), path => path),
  ];
}

/** Layers that neither a release, nor a next build, nor a buildpack of Wherry's own needs. They go after the next deploy. */
export function strayLayers(data: string): readonly string[] {
  const paths = createPaths({ data });
  const { images } = readWanted(paths);
  const held = layersHeld(paths.builds, images);
  return entries(paths.layers).filter(name => {
    if (!name.startsWith('sha256-') || held.has(name.replace('-', ':') as DiffId)) return false;
    const { origin } = JSON.parse(text(join(paths.layers, name, 'layer.json')) || '{}') as {
      origin?: string;
    };
    return origin !== 'buildpack';
  });
}

type Instance = { readonly spec: InstanceSpec; readonly network: { readonly name: string } };

/** Live releases by app, as `7 v3`; and what only a daemon that died leaves unfinished. */
function readWanted(paths: Paths) {
  const store = openStore(paths.database, createSeal(loadKey(paths.secretKey)));
  try {
    const apps = store.apps.list();
    return {
      live: new Set(apps.map(app => `${app.id} v${store.releases.live(app)?.version}`)),
      images: store.images.list(),
      unfinished: apps.flatMap(app => [
        ...tell('release', store.releases.list(app), ({ status, version }) =>
          status === 'pending' ? `${app.name} v${version} is pending` : undefined,
        ),
        ...tell('build', store.builds.list(app), ({ status, number }) =>
          status === 'running' ? `${app.name} ${number} is running` : undefined,
        ),
      ]),
    };
  } finally {
    store.close();
  }
}

function readInstances({ engine }: Paths): readonly Instance[] {
  return entries(join(engine, 'instances')).flatMap(id => {
    const record = text(join(engine, 'instances', id, 'spec.json'));
    return record === '' ? [] : [JSON.parse(record) as Instance];
  });
}

/** What the kernel holds it to, against what was asked; nothing of one that does not run. */
function wrongLimit(data: string, { id, limits }: InstanceSpec): string | undefined {
  const inKernel = memoryLimitOf(data, id);
  if (inKernel === undefined || Math.abs(inKernel - limits.memory) < largestPage) return undefined;
  return `${id} may use ${inKernel}, not ${limits.memory}`;
}

function isWanted({ labels }: InstanceSpec, live: ReadonlySet<string>): boolean {
  return live.has(`${labels['app']} v${labels['version']}`);
}

function placeOf({ labels }: InstanceSpec): string {
  return `${labels['app']} ${labels['type']}.${labels['index']}`;
}

/** Folders of instances and of builds' sandboxes; runc's own, and conmon's notes of exits. */
function engineFolders({ engine }: Paths): readonly string[] {
  return ['instances', 'sandboxes', 'runc', 'exits'].flatMap(folder =>
    entries(join(engine, folder)).map(name => join(engine, folder, name)),
  );
}

async function inKernel(paths: Paths, needed: readonly Instance[]): Promise<readonly string[]> {
  const { tag, engine } = paths;
  const all = await leftovers(paths.data);
  const ids = needed.map(({ spec }) => spec.id);
  const ofNeeded = (line: string) => ids.some(id => line.includes(id));
  const volumes = entries(paths.images).map(name => name.replace(/\.[a-z0-9]+$/, ''));
  const own = [/daemon --data/, /main\.js edge /];
  const allowed: Readonly<Record<string, (line: string) => boolean>> = {
    mount: line =>
      line.includes(` /run/netns/wh${tag}-`) ||
      // What all instances share, and what each has of its own.
      new RegExp(` /run/wherry-${tag}(-builds)?/(users|overlays|views/[^/ ]+) `).test(line) ||
      volumes.some(name => line.includes(` ${join(paths.storage, name)} `)) ||
      ids.some(id =>
        [join(engine, 'instances', id), `/run/wherry-${tag}/at/${id}`].some(at => line.includes(` ${at}/`)),
      ),
    cgroup: line => {
      const [, id] = (line.split(`wherry-${tag}`)[1] ?? '').split('/').filter(Boolean);
      return id === undefined || ids.includes(id);
    },
    process: line => ofNeeded(line) || own.some(pattern => pattern.test(line)),
    link: () => true,
    namespace: () => true,
    'nft table': () => true,
  };
  return [
    ...all.filter(line => !allowed[line.split(':')[0] ?? '']?.(line)),
    ...networkStrays(all, tag, needed),
    ...(await ruleStrays(tag)),
  ];
}

/** Namespaces that no instance has, but for those made ahead; ports of namespaces that are gone. */
function networkStrays(all: readonly string[], tag: string, needed: readonly Instance[]): readonly string[] {
  const owned = new Set(needed.map(({ network }) => network.name));
  const names = all.flatMap(line => /^namespace: (wh[0-9a-f]+-\d+)/.exec(line)?.[1] ?? []);
  const ports = all.flatMap(line => new RegExp(`wh${tag}\\.([0-9a-f]+)[@:]`).exec(line)?.[1] ?? []);
  const numbers = new Set(names.map(name => Number(name.split('-')[1])));
  return [
    ...tell('namespace', names.filter(name => !owned.has(name)).slice(readyAhead), name => name),
    ...tell('port', ports, port => (numbers.has(Number.parseInt(port, 16)) ? undefined : port)),
  ];
}

/** Addresses that the firewall still treats as those of builds: the next owner of one would be treated so too. */
async function ruleStrays(tag: string): Promise<readonly string[]> {
  const sets = await Promise.all(
    ['builds', 'confined', 'granted'].map(async set => ({
      set,
      listed: (await run('nft', ['list', 'set', 'inet', `wherry_${tag}`, set])).stdout,
    })),
  );
  return tell('rule', sets, ({ set, listed }) => (/elements =/.test(listed) ? set : undefined));
}

function workFolders({ builds }: Paths): readonly string[] {
  return [
    ...entries(join(builds, '.incoming')).map(name => join(builds, '.incoming', name)),
    ...entries(builds).flatMap(app =>
      entries(join(builds, app))
        .filter(name => name.startsWith('work-'))
        .map(name => join(builds, app, name)),
    ),
  ];
}

function gitLeftovers({ repos }: Paths): readonly string[] {
  return entries(repos, true)
    .filter(path => /(^|\/)(tmp_|incoming-|\.(new|gone)-)|\.lock$/.test(path))
    .map(path => join(repos, path));
}

function halfLayers({ layers }: Paths): readonly string[] {
  return [...entries(layers), ...entries(join(layers, 'tmp'))].filter(
    name => name !== 'tmp' && !name.startsWith('sha256-'),
  );
}

const lastOf = (path: string) => path.split('/').at(-1) ?? '';

function tell<Item>(
  kind: string,
  items: readonly Item[],
  name: (item: Item, at: number) => string | undefined,
): readonly string[] {
  return items.flatMap((item, at) => {
    const found = name(item, at);
    return found === undefined ? [] : [`${kind}: ${found}`];
  });
}

function entries(dir: string, recursive = false): readonly string[] {
  return statSync(dir, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(dir, { recursive, encoding: 'utf8' })
    : [];
}

function text(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
