import { posix } from 'node:path';
import { z } from 'zod';
import { sentence, WherryError } from '../../domain/errors.ts';
import { type ProcessType, parseProcessType } from '../../domain/names.ts';
import { readToml } from '../toml.ts';
import { apiAtLeast } from './api.ts';
import type { Buildpack } from './buildpack.ts';
import { checkPattern } from './glob.ts';

/** A process as a buildpack gave it. */
export type LaunchProcess = {
  readonly type: ProcessType;
  /** Always run; the first is a path or a name on the launch PATH. One string, for a shell, unless direct. */
  readonly command: readonly string[];
  /** Run with it when the person gives no arguments; theirs replace these, or (up to API 0.8) follow them. */
  readonly args: readonly string[];
  readonly replaceArgs: boolean;
  readonly direct: boolean;
  readonly default: boolean;
  readonly workingDir: string;
};

/** What a buildpack's launch.toml says. */
export type Launch = {
  readonly processes: readonly LaunchProcess[];
  readonly labels: Readonly<Record<string, string>>;
  /** Patterns of files of the app that become layers of their own. */
  readonly slices: readonly (readonly string[])[];
  readonly warnings: readonly string[];
};

/** Where this platform runs apps, for what buildpacks offer in some environments only (Buildpack API 0.12). */
export const execEnv = 'production';

export const execEnvs = z.array(z.string()).max(100).default([]);

/** Whether something that lists execution environments is for this platform's; no list means all. */
export function forExecEnv(list: readonly string[]): boolean {
  return list.length === 0 || list.includes(execEnv) || list.includes('*');
}

const schema = z.looseObject({
  labels: z.array(z.object({ key: z.string().min(1), value: z.string() })).default([]),
  processes: z
    .array(
      z.looseObject({
        type: z.string(),
        command: z.union([z.string(), z.array(z.string()).min(1)]),
        args: z.array(z.string()).default([]),
        direct: z.boolean().optional(),
        default: z.boolean().default(false),
        'working-dir': z.string().optional(),
        'exec-env': execEnvs,
      }),
    )
    .max(200)
    .default([]),
  slices: z
    .array(z.looseObject({ paths: z.array(z.string().max(4096)).max(1000).default([]) }))
    .max(64)
    .default([]),
});
type Process = z.infer<typeof schema>['processes'][number];

/** @throws build-failed */
export function readLaunch(
  file: string,
  { id, api }: Pick<Buildpack, 'id' | 'api'>,
  workingDir: string,
): Launch {
  const name = `launch.toml of ${id}`;
  const toml = readToml({ file, name, schema });
  if (!toml) return { processes: [], labels: {}, slices: [], warnings: [] };
  // Before 0.12 the key meant nothing.
  const offered = toml.processes.filter(process => !apiAtLeast(api, 12) || forExecEnv(process['exec-env']));
  if (offered.filter(process => process.default).length > 1) {
    throw new WherryError('build-failed', `${name} marks two processes as the default. Mark one.`);
  }
  const unheeded = apiAtLeast(api, 8) ? [] : offered.filter(process => process['working-dir'] !== undefined);
  for (const pattern of toml.slices.flatMap(({ paths }) => paths)) checkPattern(pattern, name);
  return {
    processes: offered.map(process => ({
      type: typeOf(process, name),
      ...commandOf(process, api, name),
      args: process.args,
      replaceArgs: apiAtLeast(api, 9),
      default: process.default,
      workingDir: posix.resolve(workingDir, (apiAtLeast(api, 8) && process['working-dir']) || '.'),
    })),
    labels: Object.fromEntries(toml.labels.map(({ key, value }) => [key, value])),
    slices: toml.slices.map(({ paths }) => paths),
    warnings: unheeded.map(
      ({ type }) => `${name}: working-dir of ${type} is ignored: Buildpack API ${api} has none.`,
    ),
  };
}

function typeOf({ type }: Process, name: string): ProcessType {
  try {
    return parseProcessType(type);
  } catch (cause) {
    throw new WherryError('build-failed', `${name}: ${sentence(cause)}`, { cause });
  }
}

/** Up to API 0.8 a command is one string, run by a shell unless it is direct; from 0.9 on it is a list and always direct. */
function commandOf(
  { command, direct }: Process,
  api: string,
  name: string,
): Pick<LaunchProcess, 'command' | 'direct'> {
  if (apiAtLeast(api, 9)) {
    if (typeof command === 'string')
      throw new WherryError(
        'build-failed',
        `${name}: command must be a list. Write ["..."], one word an entry.`,
      );
    if (direct !== undefined)
      throw new WherryError('build-failed', `${name}: "direct" is not a key from API 0.9 on. Remove it.`);
    return { command, direct: true };
  }
  if (typeof command !== 'string')
    throw new WherryError('build-failed', `${name}: command must be a string up to API 0.8. Write "...".`);
  return { command: [command], direct: direct ?? false };
}
