import { lstatSync } from 'node:fs';
import { join, posix } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { readFileBelow, readFolder } from '../read-file.ts';

/** One change to one variable, from one file of a layer's env folder (CNB Buildpack API, "Environment Variable Modification Rules"). */
export type EnvChange = {
  readonly name: string;
  readonly action: 'override' | 'default' | 'append' | 'prepend';
  readonly value: string;
  readonly delimiter: string;
};
export type Env = Readonly<Record<string, string>>;

/**
 * Changes of one env folder of a layer, in file name order; unknown suffixes and folders are passed over, and links but for
 * those to a plain file of the same layer. `dirs` is what the layer is made of on the host, the upper first, `inside` where it
 * is in the container; `bare` is what a file name without suffix stands for.
 */
export function readEnvFolder(
  dirs: readonly string[],
  folder: string,
  { bare = 'override', inside }: { bare?: EnvChange['action']; inside?: string } = {},
): readonly EnvChange[] {
  const files = new Map(
    dirs.toReversed().flatMap(dir => {
      const found = readFolder(dir, folder);
      const linked = [...found.links].flatMap(([name, target]) => {
        const text =
          inside === undefined ? undefined : readLinked(dirs, posix.resolve(inside, folder, target), inside);
        return text === undefined ? [] : [[name, text] as const];
      });
      return [...found.files, ...linked];
    }),
  );
  return [...files.keys()].sort().flatMap(file => {
    const dot = file.indexOf('.');
    const name = dot < 0 ? file : file.slice(0, dot);
    const action = dot < 0 ? bare : file.slice(dot + 1);
    const value = files.get(file);
    if (value === undefined || !isAction(action)) return [];
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new WherryError(
        'build-failed',
        `A layer's folder ${folder} names ${JSON.stringify(name)}, which is no variable name. Rename the file.`,
      );
    }
    return [{ name, action, value, delimiter: files.get(`${name}.delim`) ?? '' }];
  });
}

/** The first of the layer's folders that has the file counts; `path` is in the container. */
function readLinked(dirs: readonly string[], path: string, inside: string): string | undefined {
  if (!path.startsWith(`${inside}/`)) return undefined;
  const below = path.slice(inside.length + 1);
  for (const dir of dirs) {
    const text = readFileBelow(dir, below);
    if (text !== undefined) return text;
  }
  return undefined;
}

export function applyChange(env: Env, change: EnvChange): Env {
  const { name, action, value, delimiter } = change;
  const old = env[name] ?? '';
  if (action === 'default' && old !== '') return env;
  if (old === '' || action === 'override' || action === 'default') return { ...env, [name]: value };
  return { ...env, [name]: action === 'append' ? old + delimiter + value : value + delimiter + old };
}

/** Folders of a layer and the variables that they are put in front of, for later buildpacks and at launch. */
export const pathVariables = {
  build: [
    ['bin', 'PATH'],
    ['lib', 'LD_LIBRARY_PATH'],
    ['lib', 'LIBRARY_PATH'],
    ['include', 'CPATH'],
    ['pkgconfig', 'PKG_CONFIG_PATH'],
  ],
  launch: [
    ['bin', 'PATH'],
    ['lib', 'LD_LIBRARY_PATH'],
  ],
} as const;

/** `inside` is where the layer is in the container, `dirs` what it is made of on the host. */
export function pathChanges(
  phase: keyof typeof pathVariables,
  dirs: readonly string[],
  inside: string,
): readonly EnvChange[] {
  return pathVariables[phase]
    .filter(([folder]) => dirs.some(dir => isFolder(join(dir, folder))))
    .map(([folder, name]) => ({ name, action: 'prepend', value: `${inside}/${folder}`, delimiter: ':' }));
}

/** Variables that hold a list of folders: a user's value goes in front of them instead of replacing them. */
const lists: ReadonlySet<string> = new Set(pathVariables.build.map(([, name]) => name));

export function withUserEnv(env: Env, user: Env): Env {
  const changes = Object.entries(user).map(
    ([name, value]): EnvChange => ({
      name,
      value,
      action: lists.has(name) ? 'prepend' : 'override',
      delimiter: ':',
    }),
  );
  return changes.reduce(applyChange, env);
}

function isAction(text: string): text is EnvChange['action'] {
  return ['override', 'default', 'append', 'prepend'].includes(text);
}

/** A link counts wherever it leads: that is known in the container alone, and a folder too many on a path does no harm. */
function isFolder(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && (stats.isDirectory() || stats.isSymbolicLink());
}
