import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { choice, flag, optional, text, toggle } from '../../src/commands/args.ts';
import { completionScript } from '../../src/commands/completion.ts';
import { defineCommand } from '../../src/commands/define.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { createRegistry } from '../../src/commands/registry.ts';
import { must } from '../support/run.ts';
import { createBench } from './support.ts';

const registry = createCoreRegistry();

describe('completion in bash', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'wherry-completion-'));
    writeFileSync(join(folder, 'script'), completionScript(registry, 'bash'));
    writeFileSync(
      join(folder, 'wherry'),
      '#!/bin/sh\n[ "$*" = "--quiet apps:list" ] && printf "%s\\n" blog shop "\\$(echo x)" "a;b"\n',
    );
    chmodSync(join(folder, 'wherry'), 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What bash would offer after the line. */
  const offered = async (line: string): Promise<string[]> => {
    const script = [
      ...[`source ${folder}/script`, 'COMP_LINE=$1 COMP_POINT=${#1}', '_wherry'],
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ];
    const env = { PATH: `${folder}:${process.env['PATH']}` };
    const said = await must('bash', ['--norc', '-c', script.join('\n'), 'bash', line], { env });
    return said.split('\n').filter(word => word !== '');
  };

  it('offers commands, also behind a colon and behind flags', async () => {
    expect(await offered('wherry rollb')).toEqual(['rollback']);
    expect(await offered('wherry apps:cr')).toEqual(['create']);
    expect(await offered('wherry --quiet apps:cr')).toEqual(['create']);
    expect((await offered('wherry ')).length).toBeGreaterThan(100);
  });

  it('offers the names of apps where an app is wanted, and only there', async () => {
    expect(await offered('wherry logs ')).toEqual(['blog', 'shop']);
    expect(await offered('wherry logs --tail s')).toEqual(['shop']);
    expect(await offered('wherry apps:create ')).toEqual([]);
    expect(await offered('wherry config:get blog ')).toEqual([]);
  });

  it('offers choices and flags', async () => {
    expect(await offered('wherry completion ')).toEqual(['bash', 'zsh', 'fish']);
    expect(await offered('wherry logs blog --ta')).toEqual(['--tail']);
    expect(await offered('wherry logs --quie')).toEqual(['--quiet']);
  });

  it('runs nothing of what was typed', async () => {
    expect(await offered('wherry $(touch /tmp/no) `id` ')).toEqual([]);
    expect(await offered('wherry logs "$(id)')).toEqual([]);
  });
});

describe('completion', () => {
  const odd = createRegistry([
    defineCommand({
      name: 'odd:one',
      summary: "It's `odd`: $HOME \\ and 'more'",
      args: { way: optional(choice('way', ['up', 'down'])), rest: optional(text('rest')) },
      flags: { soReally: flag(toggle({ help: '' }), { help: "don't" }) },
      access: 'public',
      effect: 'read',
      run: () => null,
      text: () => [],
    }),
  ]);

  it('in zsh keeps colons of names apart, and quotes', () => {
    const script = completionScript(odd, 'zsh');
    expect(script).toContain(`'odd\\:one:It'\\''s \`odd\`: $HOME \\ and '\\''more'\\'''`);
    expect(script).toContain("odd:one/0) compadd -- 'up' 'down' ;;");
    expect(script).toContain(`flags+=('--so-really:don'\\''t')`);
  });

  it('in fish quotes', () => {
    const script = completionScript(odd, 'fish');
    expect(script).toContain(`-a odd:one -d 'It\\'s \`odd\`: $HOME \\\\ and \\'more\\''`);
    expect(script).toContain(`-n '__wherry_at odd:one 0' -a 'up down'`);
    expect(script).toContain(`-l so-really -d 'don\\'t'`);
  });

  it.each(['bash', 'zsh', 'fish'] as const)('for %s names every command', shell => {
    const script = completionScript(registry, shell).replaceAll('\\:', ':');
    expect(registry.list().filter(({ name }) => !script.includes(name))).toEqual([]);
  });

  it('is a command, which refuses other shells', async () => {
    const bench = createBench();
    expect((await bench.run('completion', 'zsh')).stdout).toContain('#compdef wherry');
    expect((await bench.run('completion', 'tcsh')).stderr).toContain('Known are: bash, zsh, fish.');
  });
});
