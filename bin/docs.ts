// Writes what is made from the registry: the command table of README.md and the manual page; with --check it only tells whether they are current.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createCoreRegistry } from '../src/commands/index.ts';
import { manPage } from '../src/commands/man.ts';
import { withCommandTable } from '../src/commands/table.ts';
import { builtInCommands } from '../src/plugin/built-in-commands.ts';

const registry = createCoreRegistry();
for (const command of await builtInCommands()) registry.add(command);

const documents: Record<string, (before: string) => string | undefined> = {
  'README.md': before => withCommandTable(before, registry),
  'docs/wherry.1': () => manPage(registry),
};

for (const [name, make] of Object.entries(documents)) {
  const file = new URL(`../${name}`, import.meta.url);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const after = make(before);
  if (after === undefined) fail(`${name} has no markers <!-- commands:start --> and <!-- commands:end -->.`);
  else if (before === after) continue;
  else if (process.argv.includes('--check')) fail(`${name} is not current. Run "npm run docs".`);
  else writeFileSync(file, after);
}

function fail(text: string): void {
  console.error(text);
  process.exitCode = 1;
}
