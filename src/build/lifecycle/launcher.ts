import type { EnvChange } from './environment.ts';
import { execdFunction } from './execd.ts';
import type { LaunchProcess } from './launch.ts';
import type { ForType } from './record.ts';

export type LauncherPlan = {
  /** Applied in order to the environment that the container starts with. */
  readonly changes: readonly ForType<EnvChange>[];
  readonly programs: readonly ForType<{ readonly path: string }>[];
  readonly processes: readonly LaunchProcess[];
};

export const launcherPath = '/cnb/lifecycle/launcher';
/** Runs a command as a shell does, after the scripts that are sourced for it. */
export const shellPath = '/cnb/lifecycle/shell';
/** A link to the launcher for every process type: whoever runs it, runs that process. */
export const processFolder = '/cnb/process';

/**
 * The program in front of every process: the layers' environment written out as shell, so that run images need no runtime of
 * ours. No fork and no file is read unless a layer brings exec.d programs; it costs about a millisecond, then the process
 * takes its place. `-- argv` runs argv, anything else is a command for a shell; as `/cnb/process/<type>` it runs that type.
 */
export function renderLauncher({ changes, programs, processes }: LauncherPlan): string {
  const execd = programs.map(program => only(program, `_cnb_execd ${quote(program.path)}`)).join('');
  return [
    `#!/bin/${programs.length > 0 ? 'bash' : 'sh'}\n`,
    'unset CNB_LAYERS_DIR CNB_APP_DIR CNB_PROCESS_TYPE CNB_PLATFORM_API CNB_DEPRECATION_MODE\n',
    cutPath,
    chooseCommand(processes),
    ...changes.map(change => only(change, line(change))),
    ...(execd === '' ? [] : [execdFunction, 'exec 4>&1\n', execd, 'exec 4>&-\n']),
    `case "$1" in ${shellPath}) export CNB_PROCESS_TYPE="$_cnb_type" ;; esac\n`,
    'exec "$@"\n',
  ].join('');
}

const cutPath = `PATH=":$PATH:"
for _cnb_dir in ${processFolder} /cnb/lifecycle; do
  case "$PATH" in *":$_cnb_dir:"*) PATH="\${PATH%%:"$_cnb_dir":*}:\${PATH#*:"$_cnb_dir":}" ;; esac
done
PATH="\${PATH#:}"
PATH="\${PATH%:}"
`;

/** Leaves the argv to run in "$@" and its type in a variable. DYNO is `type.index`, as the runtime sets it. */
function chooseCommand(processes: readonly LaunchProcess[]): string {
  const cases = processes.map(process => `${quote(process.type)}) ${ofType(process)} ;;\n`).join('');
  return `case "$0" in
${processFolder}/*)
_cnb_type="\${0#${processFolder}/}"
case "$_cnb_type" in
${cases}*) printf 'There is no process type %s.\\n' "$_cnb_type" >&2; exit 82 ;;
esac ;;
*)
_cnb_type="\${DYNO%.*}"
case "\${1-}" in --) shift; _cnb_shell= ;; *) _cnb_shell=${shellPath} ;; esac
if [ $# -eq 0 ]; then echo 'Name a process type or a command to run.' >&2; exit 82; fi
set -- \${_cnb_shell:+"$_cnb_shell"} "$@" ;;
esac
`;
}

function ofType({ command, args, replaceArgs, direct, workingDir }: LaunchProcess): string {
  const all = (words: readonly string[]) => words.map(quote).join(' ');
  const head = all([...(direct ? [] : [shellPath]), ...command, ...(replaceArgs ? [] : args)]);
  const usual = replaceArgs && args.length > 0 ? `[ $# -gt 0 ] || set -- ${all(args)}; ` : '';
  return `${usual}set -- ${head} "$@"; cd ${quote(workingDir)} || exit 82`;
}

/** A line for all process types, or for one. */
export function only({ type }: { readonly type?: string }, text: string): string {
  return type === undefined ? `${text}\n` : `case "$_cnb_type" in ${quote(type)}) ${text} ;; esac\n`;
}

function line({ name, action, value, delimiter }: EnvChange): string {
  const set = quote(value);
  if (action === 'override') return `export ${name}=${set}`;
  const fresh = `export ${name}=${set}`;
  if (action === 'default') return `[ -n "\${${name}-}" ] || ${fresh}`;
  const between = quote(delimiter);
  const joined = action === 'append' ? `"$${name}"${between}${set}` : `${set}${between}"$${name}"`;
  return `if [ -n "\${${name}-}" ]; then export ${name}=${joined}; else ${fresh}; fi`;
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
