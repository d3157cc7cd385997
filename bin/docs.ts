// Writes the command table of README.md from the registry; with --check it only tells whether it is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { createCoreRegistry } from '../src/commands/index.ts';
import { withCommandTable } from '../src/commands/table.ts';
import { builtInCommands } from '../src/plugin/built-in-commands.ts';

const registry = createCoreRegistry();
for (const command of await builtInCommands()) registry.add(command);
const file = new URL('../README.md', import.meta.url);
const before = readFileSync(file, 'utf8');
const after = withCommandTable(before, registry);
if (after === undefined) {
  console.error('README.md has no markers <!-- commands:start --> and <!-- commands:end -->.');
  process.exitCode = 1;
} else if (process.argv.includes('--check')) {
  if (before !== after) {
    console.error('The command table in README.md is not current. Run "npm run docs".');
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, after);
}
