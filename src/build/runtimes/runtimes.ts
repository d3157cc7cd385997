import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { Clock } from '../../system/clock.ts';
import type { Paths } from '../../system/paths.ts';
import type { Proxies } from '../../system/proxy.ts';
import type { AllowedHosts } from '../fetch/addresses.ts';
import type { LayerStore } from '../layers/store.ts';
import type { Require } from '../lifecycle/plan.ts';
import type { Stack, StackContext } from '../stack/stack.ts';
import { aptName, provideApt } from './apt.ts';
import {
  type NodeOptions,
  nodeFolder,
  npmIn,
  type ProvidedNode,
  provideHeaders,
  provideNode,
} from './node.ts';
import { distribution, nodeProject, npmSource } from './node-source.ts';
import { npmRunsOn } from './node-version.ts';
import { createNpm } from './npm.ts';
import type { NpmRuntimeOptions } from './shared-layer.ts';
import { fits } from './tool-version.ts';
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

type RuntimesOptions = {
  readonly paths: Paths;
  readonly layers: LayerStore;
  readonly stack: Stack;
  readonly clock: Clock;
  readonly hostEnv: Readonly<Record<string, string>>;
  /** PEM bundle to trust for downloads besides the usual authorities. */
  readonly caFile?: string | undefined;
  readonly proxies?: Proxies;
  /** URL of a mirror of nodejs.org's distribution, asked first. */
  readonly nodeMirror?: string | undefined;
};

/**
 * The platform as a provider in the build plan, for what is the same in every app. Requirements say when they want it with
 * `metadata.build` and `metadata.launch`.
 */
export function createRuntimes(options: RuntimesOptions) {
  const { paths, clock, stack } = options;
  const npm = createNpm({ dir: listsOf(paths), env: options.hostEnv, clock });
  const node = { ...options, sources: [...distributions(options), npmSource(npm)] };
  const withNpm = { ...options, npm };
  const providers: Readonly<Record<string, Provider>> = {
    node: async ({ version }, context) => ({
      ...(await provideNode(node, version, context)),
      folder: nodeFolder,
    }),
    'node-headers': async ({ version }, context) => ({
      layer: (await provideHeaders(node, version, context)).layer,
      folder: nodeFolder,
    }),
    compilers: async (_asked, context) => ({ layer: await stack.compilers(context) }),
    lighttpd: async (_asked, context) => ({
      layer: await stack.extra(lighttpdPackages, context),
      packages: lighttpdPackages,
    }),
    ...Object.fromEntries(toolNames.map(name => [name, toolProvider(withNpm, name)])),
    npm: npmProvider(withNpm, node),
  };
  return {
    /** Fetches what most first builds need. */
    warm: async (context: StackContext): Promise<void> => void (await provideNode(node, '', context)),

    /** Names that a build plan may require without any buildpack that provides them. */
    names: new Set([...Object.keys(providers), aptName]) as ReadonlySet<string>,

    async provide(requires: readonly Require[], context: StackContext): Promise<readonly Runtime[]> {
      const packages = requires.filter(({ name }) => name === aptName);
      const provided: Runtime[] = [...(await provideApt(packages, stack, context))];
      let here: ProvidedNode | undefined;
      for (const name of namesIn(requires)) {
        const provider = providers[name];
        if (!provider)
          throw new WherryError(
            'build-failed',
            `Nothing provides ${JSON.stringify(name)}, which a buildpack requires.`,
          );
        const asked = askedOf(name, requires);
        const got = await provider({ ...asked, node: here }, context);
        if (!got) continue;
        const { version, ...runtime } = got;
        if (name === 'node' && version !== undefined) here = { layer: got.layer, version };
        provided.push({ name, ...runtime, build: asked.build, launch: asked.launch });
      }
      return provided;
    },
  };
}

const lighttpdPackages = ['lighttpd', 'lighttpd-mod-deflate'];

type Asked = {
  /** A range; empty when nothing is asked for. */
  readonly version: string;
  /** As corepack writes it behind a version. */
  readonly hash: string;
  readonly build: boolean;
  readonly launch: boolean;
};
/** Nothing, where what is here already serves. */
type Provider = (
  asked: Asked & { readonly node: ProvidedNode | undefined },
  context: StackContext,
) => Promise<(Pick<Runtime, 'layer' | 'folder' | 'packages'> & { readonly version?: string }) | undefined>;

/** The operator's mirror, then the project's own. */
function distributions({ paths, clock, caFile, proxies, nodeMirror }: RuntimesOptions) {
  const from = (url: string, allowed: AllowedHosts) =>
    distribution({ url, dir: listsOf(paths), clock, caFile, allowed, proxies });
  const mirror = nodeMirror ? [from(nodeMirror, new Set([new URL(nodeMirror).host]))] : [];
  return [...mirror, from(nodeProject, new Set())];
}

function listsOf(paths: Paths): string {
  return join(paths.cache, 'runtimes');
}

/** Node first: which npm is of use depends on it. */
function namesIn(requires: readonly Require[]): readonly string[] {
  const names = new Set(requires.map(({ name }) => name).filter(name => name !== aptName));
  return [...names].sort((a, b) => Number(b === 'node') - Number(a === 'node'));
}

function askedOf(name: string, requires: readonly Require[]): Asked {
  const all = requires.filter(require => require.name === name).map(({ metadata }) => metadata);
  const text = (key: string) => all.map(each => each[key]).find(value => typeof value === 'string');
  const flag = (key: string) => all.some(each => each[key] === true);
  return {
    version: String(text('version') ?? ''),
    hash: String(text('hash') ?? ''),
    build: flag('build'),
    launch: flag('launch'),
  };
}

const toolNames = Object.keys(tools) as (keyof typeof tools)[];

function toolProvider(options: NpmRuntimeOptions, name: keyof typeof tools): Provider {
  return async ({ version: request, hash }, context) => ({
    layer: await provideTool(options, { name, request, hash }, context),
    folder: toolFolder(name),
  });
}

/** The npm that came with Node, where it is one that the app wants. */
function npmProvider(options: NpmRuntimeOptions, { layers }: NodeOptions): Provider {
  return async ({ version: request, hash, node }, context) => {
    const own = node && npmIn(layers, node.layer);
    if (own && hash === '' && fits(own, request)) return undefined;
    const usable = (npm: string) => !node || npmRunsOn(npm, node.version);
    const layer = await provideTool(options, { name: 'npm', request, hash, usable }, context);
    return { layer, folder: toolFolder('npm') };
  };
}
