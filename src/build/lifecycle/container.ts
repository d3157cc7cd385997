import { randomBytes } from 'node:crypto';
import type { BuildLimits } from '../../domain/build-limits.ts';
import type { DiffId } from '../../domain/image.ts';
import type { Mount, OverlayMount } from '../../engine/engine.ts';
import { caInside, type Operator } from '../operator.ts';
import type { Generation } from '../stack/generation.ts';
import { appUser } from '../stack/recipe.ts';
import type { Sandboxes } from '../turns.ts';
import { apiAtLeast } from './api.ts';
import { buildConfigInside } from './build-config.ts';
import { type Buildpack, escapedId } from './buildpack.ts';
import { applyChange, type Env, type EnvChange, withUserEnv } from './environment.ts';
import { execEnv } from './launch.ts';
import { baseOf } from './targets.ts';
import type { WorkFolder } from './work-folder.ts';

/** What buildpacks learn of the stack. */
export type BuiltOn = Pick<Generation, 'id' | 'distro' | 'env'>;

export type ContainerOptions = {
  readonly engine: Sandboxes;
  readonly operator: Operator;
  readonly app: string;
  readonly limits: BuildLimits;
  /** Aborts with the reason that the person is told. */
  readonly signal: AbortSignal;
  readonly work: WorkFolder;
  readonly config: Env;
  /** What the operator sets for every build, applied last. */
  readonly operatorEnv: readonly EnvChange[];
  /** Host folder with the same as files. */
  readonly operatorFolder?: string | undefined;
  readonly buildpacks: readonly Buildpack[];
  readonly stack: BuiltOn;
  /** Layers of the build image. */
  readonly image: readonly DiffId[];
  readonly mounts: readonly (Mount | OverlayMount)[];
};

export type Container = Awaited<ReturnType<typeof openContainer>>;

/** A sandbox with the mounts that every phase has; only buildpacks' own programs run in it. */
export async function openContainer(options: ContainerOptions) {
  const { engine, limits, signal, app } = options;
  const sandbox = await engine.openSandbox({
    id: `build-${app.slice(0, 40)}-${randomBytes(4).toString('hex')}`.replaceAll('..', '.'),
    layers: options.image,
    mounts: [...options.mounts, ...commonMounts(options)],
    limits: { memory: limits.memory, pids: limits.pids },
    network: 'host-uplink',
    hostname: 'build',
  });
  return {
    /** Runs `bin/<program>` of a buildpack. `env` is what earlier buildpacks' layers add. */
    run: async (step: ProgramStep): Promise<number> => {
      signal.throwIfAborted();
      return await sandbox.run({
        argv: [`${buildpackInside(step.buildpack)}/bin/${step.program}`, ...step.args],
        env: environment(options, step),
        cwd: '/workspace',
        user: appUser,
        onOutput: step.onOutput,
        timeout: limits.time,
        silence: limits.silence,
        ...(step.part === undefined ? {} : { part: step.part }),
        signal: step.signal ? AbortSignal.any([signal, step.signal]) : signal,
      });
    },
    /** Renames a layer's folder to `<name>.ignore`, inside: on the host, what lies under a mounted overlay must not change. */
    setAside: async (part: string, name: string): Promise<number> =>
      await sandbox.run({
        argv: ['mv', '-T', '--', `${part}/${name}`, `${part}/${name}.ignore`],
        env: options.stack.env,
        cwd: '/',
        user: appUser,
        onOutput: () => {},
        timeout: limits.time,
        part,
        signal,
      }),
    close: async (): Promise<void> => await sandbox.close(),
  };
}

export type ProgramStep = {
  readonly buildpack: Buildpack;
  readonly program: 'detect' | 'build';
  readonly args: readonly string[];
  /** Environment from earlier buildpacks' build layers, on top of the stack's. */
  readonly base: Env;
  /** CNB_ variables of the phase. */
  readonly cnb: Env;
  readonly onOutput: (chunk: Buffer) => void;
  /** The one folder of /layers that it may write to. */
  readonly part?: string;
  /** Stops this program alone; no other may be wanted of the container then. */
  readonly signal?: AbortSignal;
};

/** Layers', then the app's, then the operator's: his defaults do not hide theirs, all else of his does. */
export function environment(
  {
    config,
    operator,
    operatorEnv,
    stack,
  }: Pick<ContainerOptions, 'config' | 'operatorEnv' | 'stack'> & { operator: Pick<Operator, 'buildEnv'> },
  step: Pick<ProgramStep, 'buildpack' | 'base' | 'cnb'>,
): Env {
  const { buildpack, base } = step;
  const user = buildpack.clearEnv ? base : withUserEnv(base, withoutReserved(config));
  const env = operatorEnv.reduce(applyChange, { ...operator.buildEnv, ...user });
  return { ...env, ...platformEnv(step, stack) };
}

/** What a buildpack is told of the platform; older APIs pass more of it as arguments only. */
export function platformEnv(
  { buildpack, cnb }: Pick<ProgramStep, 'buildpack' | 'cnb'>,
  stack: Pick<BuiltOn, 'id' | 'distro'>,
): Env {
  const { api } = buildpack;
  const { os, arch, distro } = baseOf(stack);
  return {
    CNB_STACK_ID: stack.id,
    CNB_BUILDPACK_DIR: buildpackInside(buildpack),
    ...(apiAtLeast(api, 8) ? { CNB_PLATFORM_DIR: '/platform', ...cnb } : {}),
    ...(apiAtLeast(api, 10)
      ? {
          CNB_TARGET_OS: os,
          CNB_TARGET_ARCH: arch,
          ...(distro.name ? { CNB_TARGET_DISTRO_NAME: distro.name } : {}),
          ...(distro.version ? { CNB_TARGET_DISTRO_VERSION: distro.version } : {}),
        }
      : {}),
    ...(apiAtLeast(api, 12) ? { CNB_EXEC_ENV: execEnv } : {}),
  };
}

function withoutReserved(config: Env): Env {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !name.startsWith('CNB_')));
}

function commonMounts({ work, operator, operatorFolder, buildpacks }: ContainerOptions): Mount[] {
  const readonly = (source: string, target: string): Mount => ({ source, target, readonly: true });
  return [
    readonly(work.platform, '/platform'),
    ...buildpacks.map(buildpack => readonly(buildpack.dir, buildpackInside(buildpack))),
    ...(operatorFolder ? [readonly(operatorFolder, buildConfigInside)] : []),
    ...(operator.caFile ? [readonly(operator.caFile, caInside)] : []),
  ];
}

function buildpackInside({ id, version }: Buildpack): string {
  return `/cnb/buildpacks/${escapedId(id)}/${version}`;
}
