import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { StackContext } from '../stack/stack.ts';
import { chooseNode, npmRange } from './node-version.ts';
import type { Npm } from './npm.ts';
import { arch, type NpmRuntimeOptions, provideShared, unpackPackage } from './shared-layer.ts';

/** Where Node's files are in a container. */
export const nodeFolder = 'layers/wherry_runtime/node';

/** Node and npm as a layer of the shared cache, one a version, from the npm registry's own builds of Node. */
export async function provideNode(
  options: NpmRuntimeOptions,
  request: string,
  context: StackContext,
): Promise<DiffId> {
  return await provide(options, request, context, { prefix: 'node', title: 'Node', make: makeNode });
}

/** The C headers that go with it, for builds that compile addons; they never get into an image. */
export async function provideHeaders(
  options: NpmRuntimeOptions,
  request: string,
  context: StackContext,
): Promise<DiffId> {
  return await provide(options, request, context, {
    prefix: 'node-headers',
    title: 'the headers of Node',
    make: makeHeaders,
  });
}

type Making = {
  readonly npm: Npm;
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

async function provide(
  options: NpmRuntimeOptions,
  request: string,
  context: StackContext,
  part: Part,
): Promise<DiffId> {
  const { npm } = options;
  const node = chooseNode(request, await npm.versions(`node-linux-${arch}`, context.signal));
  const layer = {
    key: `${part.prefix}-${node}-${arch}`,
    title: `${part.title} ${node}`,
    make: async (dir: string, signal: AbortSignal | undefined) => await part.make({ npm, node, dir, signal }),
  };
  return await provideShared(options, layer, context);
}

async function makeNode({ npm, node, dir, signal }: Making): Promise<void> {
  const target = join(dir, 'root', nodeFolder);
  const range = npmRange(node);
  const version = semver.maxSatisfying([...(await npm.versions('npm', signal))], range);
  if (!version)
    throw new WherryError(
      'unavailable',
      `No npm ${range} can be had for Node ${node}. Set another engines.node.`,
    );
  mkdirSync(join(target, 'bin'), { recursive: true });
  mkdirSync(join(target, 'lib', 'node_modules'), { recursive: true });
  const binaries = await unpackPackage(npm, `node-linux-${arch}@${node}`, dir, signal);
  renameSync(join(binaries, 'bin/node'), join(target, 'bin/node'));
  const files = await unpackPackage(npm, `npm@${version}`, dir, signal);
  for (const folder of ['docs', 'man']) await rm(join(files, folder), { recursive: true, force: true });
  renameSync(files, join(target, 'lib/node_modules/npm'));
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(target, 'bin', name));
  }
}

async function makeHeaders({ npm, node, dir, signal }: Making): Promise<void> {
  const target = join(dir, 'root', nodeFolder);
  mkdirSync(target, { recursive: true });
  const files = await unpackPackage(npm, `node-linux-${arch}@${node}`, dir, signal);
  renameSync(join(files, 'include'), join(target, 'include'));
}
