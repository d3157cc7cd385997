import { hooks } from '../hooks.ts';

/** The table of hooks in docs/plugins.md. */
export function hookTable(): string {
  const rows = Object.entries(hooks).map(([name, { kind, when }]) => `| \`${name}\` | ${kind} | ${when} |`);
  return ['| hook | kind | when |', '| --- | --- | --- |', ...rows].join('\n');
}
