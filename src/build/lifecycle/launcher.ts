import type { EnvChange } from './environment.ts';

export type LauncherPlan = {
  /** Applied in order to the environment that the container starts with. */
  readonly changes: readonly EnvChange[];
  /** More of them for one process type. */
  readonly byType: ReadonlyMap<string, readonly EnvChange[]>;
};

/**
 * The program in front of every process: the layers' environment written out as shell, so that run images need no runtime of
 * ours. No fork and no file is read, it costs about a millisecond; then the process takes its place.
 */
export function renderLauncher({ changes, byType }: LauncherPlan): string {
  const types = [...byType].map(([type, more]) => `${quote(type)})\n${lines(more)};;\n`);
  // DYNO is `type.index`.
  const cases = types.length === 0 ? '' : `case "\${DYNO%.*}" in\n${types.join('')}esac\n`;
  return `#!/bin/sh\n${lines(changes)}${cases}exec "$@"\n`;
}

function lines(changes: readonly EnvChange[]): string {
  return changes.map(change => `${line(change)}\n`).join('');
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

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
