// Writes what documents have from the sources: commands in README.md, hooks in docs/plugins.md; with --check it only tells whether all is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { between } from '../src/commands/document.ts';
import { createCoreRegistry } from '../src/commands/index.ts';
import { withCommandTable } from '../src/commands/table.ts';
import { builtInCommands } from '../src/plugin/built-in-commands.ts';
import { hookTable } from '../src/plugin/hook-table.ts';

const registry = createCoreRegistry();
for (const command of await builtInCommands()) registry.add(command);

write('README.md', text => withCommandTable(text, registry));
write('docs/plugins.md', text => between(text, 'hooks', hookTable()));

function write(name: string, make: (text: string) => string | undefined): void {
  const file = new URL(`../${name}`, import.meta.url);
  const before = readFileSync(file, 'utf8');
  const after = make(before);
  if (after === undefined)
    fail(`${name} has lost its markers, as <!-- commands:start --> and <!-- commands:end -->.`);
  else if (!process.argv.includes('--check')) writeFileSync(file, after);
  else if (before !== after) fail(`What ${name} has from the sources is not current. Run "npm run docs".`);
}

function fail(why: string): void {
  console.error(why);
  process.exitCode = 1;
}
