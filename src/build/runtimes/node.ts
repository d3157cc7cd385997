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
  const { paths, layers, npm, clock } = options;
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const node = chooseNode(request, await npm.versions(`node-linux-${arch}`, context.signal));
  const known = recorded(paths, `node-${node}-${arch}`);
  if (known && layers.has(known)) return known;
  const lock = {
    dir: join(paths.cache, 'locks'),
    name: `node-${node}-${arch}`,
    clock,
    signal: context.signal,
  };
  return await once(lock, async () => {
    const meanwhile = recorded(paths, lock.name);
    if (meanwhile && layers.has(meanwhile)) return meanwhile;
    context.progress.step(`Downloading Node ${node} (once per host)`);
    const range = npmRange(node);
    const npmVersion = semver.maxSatisfying([...(await npm.versions('npm', context.signal))], range);
    if (!npmVersion)
      throw new WherryError(
        'unavailable',
        `No npm ${range} can be had for Node ${node}. Set another engines.node.`,
      );
    const layer = await makeLayer({ ...options, node, arch, npmVersion, signal: context.signal });
    record(paths, lock.name, layer);
    return layer;
  });
}

type Making = NodeOptions & {
  node: string;
  arch: string;
  npmVersion: string;
  signal: AbortSignal | undefined;
};

async function makeLayer({ paths, layers, npm, node, arch, npmVersion, signal }: Making): Promise<DiffId> {
  const dir = join(paths.cache, 'tmp', `node-${node}-${arch}`);
  const root = join(dir, 'root');
  const target = join(root, nodeFolder);
  await rm(dir, { recursive: true, force: true });
  await mkdir(join(target, 'lib', 'node_modules'), { recursive: true });
  try {
    await unpack(await npm.pack(`node-linux-${arch}@${node}`, dir, signal), dir);
    mkdirSync(join(target, 'bin'));
    renameSync(join(dir, 'package/bin/node'), join(target, 'bin/node'));
    await rm(join(dir, 'package'), { recursive: true });
    await unpack(await npm.pack(`npm@${npmVersion}`, dir, signal), dir);
    for (const folder of ['docs', 'man'])
      await rm(join(dir, 'package', folder), { recursive: true, force: true });
    renameSync(join(dir, 'package'), join(target, 'lib/node_modules/npm'));
    for (const name of ['npm', 'npx']) {
      symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(target, 'bin', name));
    }
    return await layers.put({
      dir: root,
      scope: 'shared',
      origin: `node ${node}`,
      owner: { uid: 0, gid: 0 },
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
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
