import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { Clock } from '../../system/clock.ts';
import type { Paths } from '../../system/paths.ts';
import type { LayerStore } from '../layers/store.ts';
import type { Require } from '../lifecycle/plan.ts';
import type { Stack, StackContext } from '../stack/stack.ts';
import { aptName, provideApt } from './apt.ts';
import { nodeFolder, provideHeaders, provideNode } from './node.ts';
import { createNpm } from './npm.ts';
import type { NpmRuntimeOptions } from './shared-layer.ts';
import { provideTool, toolFolder, tools } from './tools.ts';

/** A layer that the platform provides where a buildpack requires it: shared by every app on the host. */
export type Runtime = {
  readonly name: string;
  readonly layer: DiffId;
  /** Folder in the layer like a buildpack's layer (`bin`, `lib`), or none: files of the system that need no setting up. */
  readonly folder?: string;
  /** Debian packages that are in it: it belongs to the stack it was made on, and is made anew for another. */
  readonly packages?: readonly string[];
  readonly build: boolean;
  readonly launch: boolean;
};

export type Runtimes = ReturnType<typeof createRuntimes>;

/**
 * The platform as a provider in the build plan, for what is the same in every app. Requirements say when they want it with
 * `metadata.build` and `metadata.launch`.
 */
export function createRuntimes(options: {
  paths: Paths;
  layers: LayerStore;
  stack: Stack;
  clock: Clock;
  hostEnv: Readonly<Record<string, string>>;
}) {
  const npm = createNpm({
    dir: join(options.paths.cache, 'runtimes'),
    env: options.hostEnv,
    clock: options.clock,
  });
  const providers: Readonly<Record<string, Provider>> = {
    node: async (version, context) => ({
      layer: await provideNode({ ...options, npm }, version, context),
      folder: nodeFolder,
    }),
    'node-headers': async (version, context) => ({
      layer: await provideHeaders({ ...options, npm }, version, context),
      folder: nodeFolder,
    }),
    compilers: async (_version, context) => ({ layer: await options.stack.compilers(context) }),
    lighttpd: async (_version, context) => ({
      layer: await options.stack.extra(lighttpdPackages, context),
      packages: lighttpdPackages,
    }),
    ...Object.fromEntries(toolNames.map(name => [name, toolProvider({ ...options, npm }, name)])),
  };
  return {
    /** Fetches what most first builds need. */
    warm: async (context: StackContext): Promise<void> =>
      void (await provideNode({ ...options, npm }, '', context)),

    /** Names that a build plan may require without any buildpack that provides them. */
    names: new Set([...Object.keys(providers), aptName]) as ReadonlySet<string>,

    async provide(requires: readonly Require[], context: StackContext): Promise<readonly Runtime[]> {
      const packages = requires.filter(({ name }) => name === aptName);
      const provided: Runtime[] = [...(await provideApt(packages, options.stack, context))];
      const others = requires.filter(({ name }) => name !== aptName);
      for (const name of new Set(others.map(require => require.name))) {
        const provider = providers[name];
        if (!provider)
          throw new WherryError(
            'build-failed',
            `Nothing provides ${JSON.stringify(name)}, which a buildpack requires.`,
          );
        const asked = requires.filter(require => require.name === name).map(({ metadata }) => metadata);
        const version = asked.map(({ version }) => version).find(version => typeof version === 'string');
        const flag = (key: string) => asked.some(metadata => metadata[key] === true);
        const layer = await provider(typeof version === 'string' ? version : '', context);
        provided.push({ name, ...layer, build: flag('build'), launch: flag('launch') });
      }
      return provided;
    },
  };
}

const lighttpdPackages = ['lighttpd', 'lighttpd-mod-deflate'];

type Provided = Pick<Runtime, 'layer' | 'folder' | 'packages'>;
type Provider = (version: string, context: StackContext) => Promise<Provided>;

const toolNames = Object.keys(tools) as (keyof typeof tools)[];

function toolProvider(options: NpmRuntimeOptions, name: keyof typeof tools): Provider {
  return async (request, context) => ({
    layer: await provideTool(options, { name, request }, context),
    folder: toolFolder(name),
  });
}
