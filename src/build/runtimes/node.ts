import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { Clock } from '../../system/clock.ts';
import { exec } from '../../system/exec.ts';
import type { Paths } from '../../system/paths.ts';
import type { LayerStore } from '../layers/store.ts';
import { once } from '../stack/once.ts';
import type { StackContext } from '../stack/stack.ts';
import { chooseNode, npmRange } from './node-version.ts';
import type { Npm } from './npm.ts';

/** Where a runtime's files are in a container. */
export const nodeFolder = 'layers/wherry_runtime/node';

export type NodeOptions = {
  readonly paths: Paths;
  readonly layers: LayerStore;
  readonly npm: Npm;
  readonly clock: Clock;
};

/** Node and npm as a layer of the shared cache, one a version, from the npm registry's own builds of Node. */
export async function provideNode(
  options: NodeOptions,
  request: string,
  context: StackContext,
): Promise<DiffId> {
  return await provide(options, request, context, { prefix: 'node', title: 'Node', make: makeNode });
}

/** The C headers that go with it, for builds that compile addons; they never get into an image. */
export async function provideHeaders(
  options: NodeOptions,
  request: string,
  context: StackContext,
): Promise<DiffId> {
  return await provide(options, request, context, {
    prefix: 'node-headers',
    title: 'the headers of Node',
    make: makeHeaders,
  });
}

type Making = NodeOptions & {
  readonly node: string;
  /** Work folder, on the cache's file system. */
  readonly dir: string;
  readonly signal: AbortSignal | undefined;
};
type Part = {
  readonly prefix: string;
  readonly title: string;
  readonly make: (making: Making) => Promise<void>;
};

const arch = process.arch === 'arm64' ? 'arm64' : 'x64';

async function provide(
  options: NodeOptions,
  request: string,
  context: StackContext,
  part: Part,
): Promise<DiffId> {
  const { paths, layers, npm, clock } = options;
  const { signal } = context;
  const node = chooseNode(request, await npm.versions(`node-linux-${arch}`, signal));
  const name = `${part.prefix}-${node}-${arch}`;
  const stored = () => {
    const layer = recorded(paths, name);
    return layer && layers.has(layer) ? layer : undefined;
  };
  const known = stored();
  if (known) return known;
  return await once({ dir: join(paths.cache, 'locks'), name, clock, signal }, async () => {
    const meanwhile = stored();
    if (meanwhile) return meanwhile;
    context.progress.step(`Downloading ${part.title} ${node} (once per host)`);
    const dir = join(paths.cache, 'tmp', name);
    await rm(dir, { recursive: true, force: true });
    await mkdir(join(dir, 'root', nodeFolder), { recursive: true });
    try {
      await part.make({ ...options, node, dir, signal });
      const put = {
        dir: join(dir, 'root'),
        scope: 'shared',
        origin: `${part.prefix} ${node}`,
        owner: root,
      } as const;
      const layer = await layers.put(put);
      record(paths, name, layer);
      return layer;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
}

const root = { uid: 0, gid: 0 } as const;

async function makeNode({ npm, node, dir, signal }: Making): Promise<void> {
  const target = join(dir, 'root', nodeFolder);
  const range = npmRange(node);
  const version = semver.maxSatisfying([...(await npm.versions('npm', signal))], range);
  if (!version)
    throw new WherryError(
      'unavailable',
      `No npm ${range} can be had for Node ${node}. Set another engines.node.`,
    );
  mkdirSync(join(target, 'bin'));
  mkdirSync(join(target, 'lib', 'node_modules'), { recursive: true });
  await unpack(await npm.pack(`node-linux-${arch}@${node}`, dir, signal), dir);
  renameSync(join(dir, 'package/bin/node'), join(target, 'bin/node'));
  await rm(join(dir, 'package'), { recursive: true });
  await unpack(await npm.pack(`npm@${version}`, dir, signal), dir);
  for (const folder of ['docs', 'man'])
    await rm(join(dir, 'package', folder), { recursive: true, force: true });
  renameSync(join(dir, 'package'), join(target, 'lib/node_modules/npm'));
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(target, 'bin', name));
  }
}

async function makeHeaders({ npm, node, dir, signal }: Making): Promise<void> {
  await unpack(await npm.pack(`node-linux-${arch}@${node}`, dir, signal), dir);
  renameSync(join(dir, 'package/include'), join(dir, 'root', nodeFolder, 'include'));
}

async function unpack(archive: string, dir: string): Promise<void> {
  await exec('tar', ['-xzf', archive, '-C', dir, '--no-same-owner', '--no-same-permissions'], {
    timeout: 120_000,
  });
  if (!existsSync(join(dir, 'package')))
    throw new WherryError('failed', `${archive} is not an npm package. Try again.`);
}

const recordSchema = z.object({ layer: z.string().regex(/^sha256:[0-9a-f]{64}$/) });

function recorded(paths: Paths, name: string): DiffId | undefined {
  try {
    const text = readFileSync(join(paths.cache, 'runtimes', `${name}.json`), 'utf8');
    return recordSchema.parse(JSON.parse(text)).layer as DiffId;
  } catch {
    return undefined;
  }
}

function record(paths: Paths, name: string, layer: DiffId): void {
  const dir = join(paths.cache, 'runtimes');
  mkdirSync(dir, { recursive: true });
  const draft = join(dir, `${name}.${process.pid}.tmp`);
  writeFileSync(draft, JSON.stringify({ layer }));
  renameSync(draft, join(dir, `${name}.json`));
}
