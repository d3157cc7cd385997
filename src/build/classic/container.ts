import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import type { Mount, OverlayMount } from '../../engine/engine.ts';
import type { Fetched } from '../fetch/fetcher.ts';
import type { Run } from '../lifecycle/run.ts';
import { caInside } from '../operator.ts';
import { appUser } from '../stack/recipe.ts';

// One sandbox a build. The app lies in /app from the start, where it will run: nothing that bakes paths has to be moved.

export type ClassicContainer = Awaited<ReturnType<typeof openClassicContainer>>;
export type ClassicStep = {
  readonly argv: readonly string[];
  readonly onOutput: (chunk: Buffer) => void;
  /** Milliseconds; the build's own limit unless told. */
  readonly timeout?: number;
};

const silence = 600_000;

export async function openClassicContainer(
  run: Run,
  options: {
    image: readonly DiffId[];
    /** What every process of the stack has. */
    baseEnv: Readonly<Record<string, string>>;
    /** Host folder of the app's source. */
    source: string;
    /** Host folder of the cache as the last good build left it. */
    cache: string | undefined;
    buildpacks: readonly Fetched[];
    stack: string;
  },
) {
  const { engine, work, request, operator, signal } = run;
  const overlay = (name: string, target: string, lower: string): OverlayMount => ({
    target,
    lower: [lower],
    upper: work.folder(`${name}/upper`, true),
    work: work.folder(`${name}/work`),
  });
  const ca: Mount[] = operator.caFile ? [{ source: operator.caFile, target: caInside, readonly: true }] : [];
  const cache = overlay('cache', '/cache', options.cache ?? work.folder('cache/empty'));
  mkdirSync(join(work.platform, 'env'), { recursive: true });
  const sandbox = await engine.openSandbox({
    id: `build-${request.app.slice(0, 40)}-${randomBytes(4).toString('hex')}`.replaceAll('..', '.'),
    layers: options.image,
    mounts: [
      { target: '/app', lower: [options.source], ...work.app },
      cache,
      { source: work.platform, target: '/platform', readonly: true },
      // Each its own: they write where they lie, above all the file "export".
      ...options.buildpacks.map(({ dir }, index) => overlay(`pack-${index}`, insideOf(index), dir)),
      ...ca,
    ],
    limits: { memory: request.limits.memory, pids: request.limits.pids },
    network: 'host-uplink',
    hostname: 'build',
  });
  const env = {
    ...operator.buildEnv,
    ...options.baseEnv,
    HOME: '/app',
    STACK: options.stack,
    SOURCE_VERSION: request.source.commit,
    REQUEST_ID: randomBytes(16).toString('hex'),
    CURL_CONNECT_TIMEOUT: '90',
    CURL_TIMEOUT: '600',
  };
  return {
    /** What the build writes into the cache folder, on the host. */
    cacheUpper: cache.upper,
    run: async (step: ClassicStep): Promise<number> => {
      signal.throwIfAborted();
      return await sandbox.run({
        argv: step.argv,
        env,
        cwd: '/app',
        user: appUser,
        onOutput: step.onOutput,
        timeout: step.timeout ?? request.limits.time,
        silence,
        signal,
      });
    },
    close: async (): Promise<void> => await sandbox.close(),
  };
}

/** Where a buildpack lies in the sandbox. */
export function insideOf(index: number): string {
  return `/buildpacks/${index}`;
}
