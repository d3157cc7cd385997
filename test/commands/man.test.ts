import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defineCommand } from '../../src/commands/define.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { manPage } from '../../src/commands/man.ts';
import { createRegistry } from '../../src/commands/registry.ts';
import { builtInCommands } from '../../src/plugin/built-in-commands.ts';

describe('the manual page', () => {
  it('is current', async () => {
    const registry = createCoreRegistry();
    for (const command of await builtInCommands()) registry.add(command);
    const written = readFileSync(new URL('../../docs/wherry.1', import.meta.url), 'utf8');
    expect(written, 'run "npm run docs"').toBe(manPage(registry));
  });

  it('has no line that roff would take for a request, and shows backslashes', () => {
    const odd = defineCommand({
      name: 'odd',
      summary: '.TH is no request',
      description: "'nor this, with a \\n and a\n.newline",
      args: {},
      access: 'public',
      effect: 'read',
      run: () => null,
      text: () => [],
    });
    const lines = manPage(createRegistry([odd])).split('\n');
    expect(lines).toContain('\\&.TH is no request.');
    expect(lines).toContain("\\&'nor this, with a \\en and a .newline");
  });
});
