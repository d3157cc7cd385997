import { between } from './document.ts';
import type { Registry } from './registry.ts';
import { usage } from './usage.ts';

/** The command table of README.md. */
export function commandTable(registry: Registry): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = registry
    .list()
    .map(command => `| \`${cell(usage({ ...command, flags: {} }))}\` | ${cell(command.summary)} |`);
  return ['| command | what it does |', '| --- | --- |', ...rows].join('\n');
}

/** The document with the table between its markers made new; undefined when it has no markers. */
export function withCommandTable(document: string, registry: Registry): string | undefined {
  return between(document, 'commands', commandTable(registry));
}
