import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { LayerStore } from '../layers/store.ts';
import type { StackContext } from '../stack/stack.ts';
import type { NodeSource } from './node-source.ts';
import { chooseNode } from './node-version.ts';
import { arch, provideShared, type SharedOptions, sharedLayer } from './shared-layer.ts';

/** Where Node's files are in a container. */
export const nodeFolder = 'layers/wherry_runtime/node';

export type NodeOptions = SharedOptions & {
  /** In the order that they are asked. */
  readonly sources: readonly NodeSource[];
};
export type ProvidedNode = { readonly layer: DiffId; readonly version: string };

/** Node and npm as a layer of the shared cache, one a version. @throws build-failed when the version cannot be had, unavailable */
export async function provideNode(
  options: NodeOptions,
  request: string,
  context: StackContext,
): Promise<ProvidedNode> {
  return await provide(options, request, context, { prefix: 'node', title: 'Node', make: makeNode });
}

/** The C headers that go with it, for builds that compile addons; they never get into an image. */
export async function provideHeaders(
  options: NodeOptions,
  request: string,
  context: StackContext,
): Promise<ProvidedNode> {
  return await provide(options, request, context, {
    prefix: 'node-headers',
    title: 'the headers of Node',
    make: makeHeaders,
  });
}

/** The version of the npm that is in a layer of Node. */
export function npmIn(layers: LayerStore, node: DiffId): string | undefined {
  const file = join(layers.layerPath(node), nodeFolder, 'lib/node_modules/npm/package.json');
  try {
    return z.looseObject({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
  } catch {
    return undefined;
  }
}

type Making = {
  readonly source: NodeSource;
  readonly version: string;
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
  options: NodeOptions,
  request: string,
  context: StackContext,
  part: Part,
): Promise<ProvidedNode> {
  const keyOf = (version: string) => `${part.prefix}-${version}-${arch}`;
  // An exact version that is here needs no list.
  const exact = semver.valid(request.trim());
  const here = exact ? sharedLayer(options, keyOf(exact)) : undefined;
  if (exact && here) return { layer: here, version: exact };

  const silent = new Map<string, unknown>();
  for await (const { source, version } of candidates(options.sources, request, context, silent)) {
    const said = [...silent.keys()];
    const make = async (dir: string, signal: AbortSignal | undefined) => {
      if (said.length > 0)
        context.progress.warn(`${said.join(' and ')} cannot be reached: Node comes from ${source.title}.`);
      await part.make({ source, version, dir, signal });
      return undefined;
    };
    try {
      const title = `${part.title} ${version} from ${source.title}`;
      return { version, layer: await provideShared(options, { key: keyOf(version), title, make }, context) };
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      silent.set(source.title, error);
    }
  }
  const [cause] = silent.values();
  throw new WherryError(
    'unavailable',
    `Node cannot be downloaded: ${[...silent.keys()].join(' and ')} cannot be reached. Check the host's network, or set WHERRY_NODE_MIRROR.`,
    { cause },
  );
}

/**
 * Each source that has a version which fits, by what is known of it; only where none has, lists are asked for anew.
 * @throws build-failed naming what can be had when all that answer have none
 */
async function* candidates(
  sources: readonly NodeSource[],
  request: string,
  { signal }: StackContext,
  silent: Map<string, unknown>,
): AsyncGenerator<{ source: NodeSource; version: string }> {
  let found = false;
  for (const renew of [false, true]) {
    const all: string[] = [];
    for (const source of sources) {
      const versions = await source.versions({ renew, signal }).catch((error: unknown) => {
        if (!isUnavailable(error)) throw error;
        silent.set(source.title, error);
        return [];
      });
      all.push(...versions);
      const version = fitting(request, versions);
      if (version === undefined) continue;
      found = true;
      yield { source, version };
    }
    if (found || all.length === 0) return;
    if (renew) chooseNode(request, all);
  }
}

function fitting(request: string, versions: readonly string[]): string | undefined {
  try {
    return chooseNode(request, versions);
  } catch {
    return undefined;
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof WherryError && error.code === 'unavailable';
}

async function makeNode({ source, version, dir, signal }: Making): Promise<void> {
  const target = join(dir, 'root', nodeFolder);
  const files = await source.unpack(version, { dir, npm: true, signal });
  mkdirSync(join(target, 'bin'), { recursive: true });
  mkdirSync(join(target, 'lib', 'node_modules'), { recursive: true });
  await rename(join(files, 'bin/node'), join(target, 'bin/node'));
  const npm = join(target, 'lib/node_modules/npm');
  await rename(join(files, 'lib/node_modules/npm'), npm);
  for (const folder of ['docs', 'man']) await rm(join(npm, folder), { recursive: true, force: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(target, 'bin', name));
  }
}

async function makeHeaders({ source, version, dir, signal }: Making): Promise<void> {
  const target = join(dir, 'root', nodeFolder);
  mkdirSync(target, { recursive: true });
  const files = await source.unpack(version, { dir, npm: false, signal });
  await rename(join(files, 'include'), join(target, 'include'));
}
