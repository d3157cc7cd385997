import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { type HookEvents, type HookName, hooks } from '../hooks.ts';
import { ExecError, exec } from '../system/exec.ts';
import { ensureSystemUser } from '../system/system-user.ts';
import { limits } from './hook-caller.ts';

/** Who runs the programs of plugins, and fetches plugins: nobody that owns anything. */
export const pluginUser = 'wherry-plugin';
/** Bytes that are read of what a program prints. */
const mostOutput = 64 * 1024;
/** From here on statuses are of `timeout`: the program cannot be run, took too long, or was killed. */
const notItsOwn = 124;

/** A plugin's programs by hook: files of `hooks/`, each named after one. @throws invalid for a name that is none, or one that nobody may run */
export async function programsIn(path: string): Promise<ReadonlyMap<HookName, string>> {
  const folder = join(path, 'hooks');
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = new Map<HookName, string>();
  for (const name of names.sort()) {
    const file = join(folder, name);
    requireProgram(name, await stat(file));
    found.set(name as HookName, file);
  }
  return found;
}

/**
 * Runs a program of a plugin with the event as JSON on its standard input, as nobody and with nothing in its environment. Of a veto
 * hook, any status but 0 is a veto with what it said on standard error; of a change hook, its output is the answer as JSON.
 * @throws ExecError when it fails, or takes too long; it and what it started are ended then
 */
export async function runProgram(given: {
  readonly file: string;
  readonly hook: HookName;
  readonly event: HookEvents[HookName];
}): Promise<unknown> {
  const { file, hook, event } = given;
  const { kind } = hooks[hook];
  const { uid, gid } = await ensureSystemUser(pluginUser);
  // A little less than it is waited for. `timeout` ends all of the program's group, not it alone.
  const seconds = limits[kind] / 1000 - 2;
  const { stdout, veto } = await exec('timeout', ['--signal=KILL', String(seconds), file], {
    ...{ uid, gid, maxOutput: mostOutput, timeout: limits[kind], cwd: dirname(file) },
    input: `${JSON.stringify(event)}\n`,
    env: { HOME: '/nonexistent', LANG: 'C.UTF-8', WHERRY_HOOK: hook },
  }).then(
    result => ({ ...result, veto: undefined }),
    error => {
      if (kind === 'veto' && error instanceof ExecError && !error.timedOut && error.exitCode < notItsOwn)
        return { stdout: '', veto: error.stderr };
      throw error;
    },
  );
  if (veto !== undefined) return { veto };
  return kind === 'change' && stdout.trim() !== '' ? (JSON.parse(stdout) as unknown) : undefined;
}

function requireProgram(name: string, file: Stats): void {
  if (!Object.hasOwn(hooks, name))
    throw new WherryError('invalid', `hooks/${name} is named after no hook. See docs/plugins.md.`);
  if (!file.isFile() || (file.mode & 0o111) === 0)
    throw new WherryError('invalid', `hooks/${name} is no program. Make it one: chmod +x hooks/${name}`);
}
