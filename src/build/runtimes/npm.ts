import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { Clock } from '../../system/clock.ts';
import { exec } from '../../system/exec.ts';
import { type Asking, createCatalog } from './catalog.ts';

export type Npm = ReturnType<typeof createNpm>;

/**
 * Packages from the npm registry by the host's own npm, which knows the operator's registry and tokens and checks every
 * download against the registry's integrity hash.
 */
export function createNpm(options: { dir: string; env: Readonly<Record<string, string>>; clock: Clock }) {
  const { dir } = options;
  const catalog = createCatalog(options);
  const run = async (args: readonly string[], cwd: string, signal?: AbortSignal) => {
    const scratch = {
      npm_config_cache: join(cwd, '.npm'),
      npm_config_update_notifier: 'false',
      npm_config_loglevel: 'error',
    };
    const env = { ...options.env, ...scratch };
    return await exec('npm', args, { cwd, env, timeout: 300_000, ...(signal ? { signal } : {}) });
  };
  const view = async (name: string): Promise<readonly string[]> => {
    await mkdir(dir, { recursive: true });
    const scratch = await mkdtemp(join(dir, 'npm-'));
    try {
      const { stdout } = await run(['view', name, 'versions', '--json'], scratch);
      return z.array(z.string()).parse(JSON.parse(stdout));
    } catch (cause) {
      throw new WherryError(
        'unavailable',
        `The npm registry does not answer for package ${name}. Check the host's network and npm settings.`,
        { cause },
      );
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  };

  return {
    /** Every published version. When the registry is out of reach, those known from before. @throws unavailable */
    async versions(name: string, { renew, signal }: Asking = {}): Promise<readonly string[]> {
      signal?.throwIfAborted();
      return await catalog.versions(name, async () => await view(name), renew);
    },

    /** Downloads `name@version` into the folder and returns the archive's path. @throws unavailable */
    async pack(spec: string, into: string, signal?: AbortSignal): Promise<string> {
      try {
        const { stdout } = await run(['pack', spec, '--json', '--ignore-scripts'], into, signal);
        const [packed] = z
          .array(z.looseObject({ filename: z.string() }))
          .min(1)
          .parse(listOf(JSON.parse(stdout)));
        return join(into, packed?.filename ?? '');
      } catch (cause) {
        throw new WherryError(
          'unavailable',
          `Package ${spec} could not be downloaded from the npm registry. Check the host's network and npm settings.`,
          { cause },
        );
      }
    },
  };
}

/** npm prints a list up to version 11 and an object by package name from then on. */
function listOf(value: unknown): unknown {
  return Array.isArray(value) || typeof value !== 'object' || value === null ? value : Object.values(value);
}
