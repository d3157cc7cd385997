import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import type { DiffId } from '../../domain/image.ts';
import type { StackContext } from '../stack/stack.ts';
import { arch, type NpmRuntimeOptions, provideShared, unpackPackage } from './shared-layer.ts';
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
    remedy: packageManager,
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
  { name, request }: { name: keyof typeof tools; request: string },
  context: StackContext,
): Promise<DiffId> {
  const tool: Tool = tools[name];
  const { title, remedy, packages } = tool;
  const lists = await Promise.all(packages.map(async one => await options.npm.versions(one, context.signal)));
  const version = chooseTool({ title, request, remedy, available: lists.flat() });
  const spec = `${tool.packageOf(version)}@${version}`;
  const layer = {
    key: `${name}-${version}-${arch}`,
    title: `${title} ${version}`,
    make: async (dir: string, signal: AbortSignal | undefined) => {
      const files = await unpackPackage(options.npm, spec, dir, signal);
      place(files, join(dir, 'root', toolFolder(name)), tool);
    },
  };
  return await provideShared(options, layer, context);
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
