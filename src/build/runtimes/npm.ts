import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { Clock } from '../../system/clock.ts';
import { exec } from '../../system/exec.ts';

export type Npm = ReturnType<typeof createNpm>;

const versionsSchema = z.object({ at: z.number(), versions: z.array(z.string()).min(1) });
/** Milliseconds that a list of versions is taken as current. */
const fresh = 3_600_000;

/**
 * Packages from the npm registry by the host's own npm, which knows the operator's registry and tokens and checks every
 * download against the registry's integrity hash.
 */
export function createNpm(options: { dir: string; env: Readonly<Record<string, string>>; clock: Clock }) {
  const { dir, clock } = options;
  const run = async (args: readonly string[], cwd: string, signal?: AbortSignal) => {
    const scratch = {
      npm_config_cache: join(cwd, '.npm'),
      npm_config_update_notifier: 'false',
      npm_config_loglevel: 'error',
    };
    const env = { ...options.env, ...scratch };
    return await exec('npm', args, { cwd, env, timeout: 300_000, ...(signal ? { signal } : {}) });
  };

  return {
    /** Every published version. When the registry is out of reach, those known from before. @throws unavailable */
    async versions(name: string, signal?: AbortSignal): Promise<readonly string[]> {
      const file = join(dir, `${name.replaceAll('/', '_')}.json`);
      const known = await readFile(file, 'utf8').then(
        text => versionsSchema.safeParse(JSON.parse(text)).data,
        () => undefined,
      );
      if (known && clock.now().getTime() - known.at < fresh) return known.versions;
      await mkdir(dir, { recursive: true });
      const scratch = await mkdtemp(join(dir, 'npm-'));
      try {
        const { stdout } = await run(['view', name, 'versions', '--json'], scratch, signal);
        const versions = z.array(z.string()).min(1).parse(JSON.parse(stdout));
        await writeFile(file, JSON.stringify({ at: clock.now().getTime(), versions }));
        return versions;
      } catch (cause) {
        if (known) return known.versions;
        throw new WherryError(
          'unavailable',
          `The npm registry does not answer for package ${name}. Check the host's network and npm settings.`,
          { cause },
        );
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
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
