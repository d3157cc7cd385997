import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { StackContext } from '../stack/stack.ts';
import type { Asking } from './catalog.ts';
import type { Npm } from './npm.ts';
import {
  arch,
  type Digests,
  digestsOf,
  fetchPackage,
  type NpmRuntimeOptions,
  provideShared,
  sharedLayer,
} from './shared-layer.ts';
import { chooseTool } from './tool-version.ts';

/** A tool that the npm registry holds: other package managers than npm, and runtimes beside Node. */
export type Tool = {
  readonly title: string;
  /** Packages whose versions can be asked for. */
  readonly packages: readonly string[];
  /** Where a person asks for another version. */
  readonly remedy: string;
  /** The package that holds a version's files. */
  readonly packageOf: (version: string) => string;
  /** Programs by their path in that package; the first that is there. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  /** The file that corepack takes the hash of, where that is not the archive. */
  readonly hashedFile?: (version: string) => string | undefined;
};

const only = (name: string) => () => name;
const scripts = (...names: readonly string[]) =>
  names.flatMap(name => [`bin/${name}.cjs`, `bin/${name}.mjs`]);
const bun = `@oven/bun-linux-${arch === 'arm64' ? 'aarch64' : hasAvx2() ? 'x64' : 'x64-baseline'}`;
const deno = `@deno/linux-${arch}-glibc`;
const packageManager = 'packageManager in package.json';

export const tools = {
  npm: {
    title: 'npm',
    packages: ['npm'],
    remedy: 'engines.npm or packageManager in package.json',
    packageOf: only('npm'),
    programs: { npm: ['bin/npm-cli.js'], npx: ['bin/npx-cli.js'] },
  },
  pnpm: {
    title: 'pnpm',
    packages: ['pnpm'],
    remedy: packageManager,
    // From 12 on it is a program of its own.
    packageOf: version => (semver.major(version) >= 12 ? `@pnpm/exe.linux-${arch}` : 'pnpm'),
    programs: { pnpm: ['pnpm', ...scripts('pnpm')], pnpx: scripts('pnpx') },
  },
  yarn: {
    title: 'Yarn',
    packages: ['yarn', '@yarnpkg/cli-dist'],
    remedy: packageManager,
    packageOf: version => (semver.major(version) >= 2 ? '@yarnpkg/cli-dist' : 'yarn'),
    programs: { yarn: ['bin/yarn.js'], yarnpkg: ['bin/yarn.js'] },
    hashedFile: version => (semver.major(version) >= 2 ? 'bin/yarn.js' : undefined),
  },
  bun: {
    title: 'Bun',
    packages: [bun],
    remedy: packageManager,
    packageOf: only(bun),
    programs: { bun: ['bin/bun'], bunx: ['bin/bun'] },
  },
  deno: {
    title: 'Deno',
    packages: [deno],
    remedy: '.deno-version',
    packageOf: only(deno),
    programs: { deno: ['deno'] },
  },
} as const satisfies Readonly<Record<string, Tool>>;

/** Where a tool's files are in a container. */
export function toolFolder(name: string): string {
  return `layers/wherry_runtime/${name}`;
}

/** A tool as a layer of the shared cache, one a version. @throws build-failed when the version cannot be had, unavailable */
export async function provideTool(
  options: NpmRuntimeOptions,
  { name, request, hash = '', usable = () => true }: ToolRequest,
  context: StackContext,
): Promise<DiffId> {
  const tool: Tool = tools[name];
  const { title, remedy } = tool;
  const keyOf = (version: string) => `${name}-${version}-${arch}`;
  const exact = semver.valid(request.trim());
  const version =
    exact && sharedLayer(options, keyOf(exact))
      ? exact
      : await chooseOf(async renew => {
          const available = await versionsOf(options.npm, tool, { renew, signal: context.signal });
          return chooseTool({ title, request, remedy, available, usable });
        });
  const wanted = digestIn(hash, tool, version);
  const refuse = () => {
    throw new WherryError(
      'build-failed',
      `packageManager in package.json names another hash of ${title} ${version} than the registry's. Run corepack use ${name}@${version} and commit package.json.`,
    );
  };
  const layer = {
    key: keyOf(version),
    title: `${title} ${version}`,
    accepts: (digests?: Digests) => {
      if (!wanted) return true;
      if (digests && digests[wanted.algorithm] !== wanted.hex) refuse();
      return digests !== undefined;
    },
    make: async (dir: string, signal: AbortSignal | undefined) => {
      const spec = `${tool.packageOf(version)}@${version}`;
      const { folder, digests } = await fetchPackage(options.npm, spec, dir, signal);
      const single = tool.hashedFile?.(version);
      const found = single ? await digestsOf(join(folder, single)) : digests;
      if (wanted && found[wanted.algorithm] !== wanted.hex) refuse();
      place(folder, join(dir, 'root', toolFolder(name)), tool);
      return found;
    },
  };
  return await provideShared(options, layer, context);
}

export type ToolRequest = {
  readonly name: keyof typeof tools;
  /** A range, or nothing for the newest. */
  readonly request: string;
  /** As corepack writes it behind a version: `sha512.HEX`. */
  readonly hash?: string;
  /** Versions that are of use at all. */
  readonly usable?: (version: string) => boolean;
};

async function versionsOf(npm: Npm, { packages }: Tool, asking: Asking): Promise<readonly string[]> {
  return (await Promise.all(packages.map(async one => await npm.versions(one, asking)))).flat();
}

/** By what is known of the registry, and only then by asking it anew. */
async function chooseOf(choose: (renew: boolean) => Promise<string>): Promise<string> {
  try {
    return await choose(false);
  } catch (error) {
    if (!(error instanceof WherryError) || error.code !== 'build-failed') throw error;
    return await choose(true);
  }
}

/** The digest that can be held against what the registry gives; from pnpm 12 on that is another archive than corepack's. */
function digestIn(hash: string, tool: Tool, version: string): { algorithm: string; hex: string } | undefined {
  const [algorithm = '', hex = ''] = hash.split('.');
  if (!hex || !tool.packages.includes(tool.packageOf(version))) return undefined;
  return { algorithm, hex: hex.toLowerCase() };
}

function place(files: string, target: string, { programs }: Tool): void {
  mkdirSync(join(target, 'bin'), { recursive: true });
  renameSync(files, join(target, 'lib'));
  for (const [name, paths] of Object.entries(programs)) {
    const path = paths.find(one => existsSync(join(target, 'lib', one)));
    if (path === undefined) continue;
    chmodSync(join(target, 'lib', path), 0o755);
    symlinkSync(`../lib/${path}`, join(target, 'bin', name));
  }
}

/** Bun's usual build needs a processor of 2013 or later. */
function hasAvx2(): boolean {
  try {
    return /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}
