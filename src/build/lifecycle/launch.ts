import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { ProcessSpec } from '../../domain/image.ts';
import { parseProcessType } from '../../domain/names.ts';
import { readToml } from '../toml.ts';
import type { Buildpack } from './buildpack.ts';

/** What a buildpack's launch.toml says. */
export type Launch = {
  readonly processes: readonly ProcessSpec[];
  readonly labels: Readonly<Record<string, string>>;
};

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
      }),
    )
    .max(200)
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
  if (!toml) return { processes: [], labels: {} };
  if (toml.processes.filter(process => process.default).length > 1) {
    throw new WherryError('build-failed', `${name} marks two processes as the default. Mark one.`);
  }
  const processes = toml.processes.map(process => ({
    type: parseProcessType(process.type),
    command: commandOf(process, Number(api.split('.')[1]), name),
    workingDir: process['working-dir'] ?? workingDir,
  }));
  return { processes, labels: Object.fromEntries(toml.labels.map(({ key, value }) => [key, value])) };
}

/** One process a type, the later in group order wins; sorted by type. */
export function mergeProcesses(lists: readonly (readonly ProcessSpec[])[]): readonly ProcessSpec[] {
  const byType = new Map(lists.flat().map(process => [process.type, process]));
  return [...byType.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
}

/** Up to API 0.8 a command is one string, run by a shell unless it is direct; from 0.9 on it is a list and always direct. */
function commandOf({ command, args, direct }: Process, minor: number, name: string): readonly string[] {
  if (minor >= 9) {
    if (typeof command === 'string')
      throw new WherryError('build-failed', `${name}: command must be a list.`);
    if (direct !== undefined)
      throw new WherryError('build-failed', `${name}: "direct" is not a key from API 0.9 on.`);
    return [...command, ...args];
  }
  if (typeof command !== 'string')
    throw new WherryError('build-failed', `${name}: command must be a string.`);
  if (direct) return [command, ...args];
  return args.length === 0 ? ['bash', '-c', command] : ['bash', '-c', `${command} "$@"`, 'bash', ...args];
}
