import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defineCommand } from '../../src/commands/define.ts';
import { readInvocation, readWords } from '../../src/commands/grammar.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { parseWords } from '../../src/commands/parse.ts';
import { createRegistry } from '../../src/commands/registry.ts';
import { withCommandTable } from '../../src/commands/table.ts';
import { splitWords } from '../../src/domain/words.ts';
import { builtInCommands } from '../../src/plugin/built-in-commands.ts';
import { rows } from '../support/every-command.ts';

const registry = createCoreRegistry();
for (const command of await builtInCommands()) registry.add(command);
const commands = registry.list();

const named = (name: string, aliases: readonly string[] = []) =>
  defineCommand({
    name,
    aliases,
    summary: 'Do nothing',
    args: {},
    access: 'public',
    effect: 'read',
    run: () => null,
    text: () => [],
  });

describe('the registry', () => {
  it('refuses a second command of the same name, or with an alias that is taken', () => {
    const small = createRegistry([named('a:b', ['a:c'])]);
    expect(() => small.add(named('a:b'))).toThrow(/a:b is registered already/);
    expect(() => small.add(named('a:c'))).toThrow(/a:c is registered already/);
    expect(() => small.add(named('x', ['a:b']))).toThrow(/a:b is registered already/);
    expect(small.list().map(command => command.name)).toEqual(['a:b']);
  });

  it.each([
    ['apps:lst', 'apps:list'],
    ['ps:scal', 'ps:scale'],
    ['list', 'apps:list'],
    ['scale', 'ps:scale'],
  ])('suggests what %s may have meant', (typed, meant) => {
    expect(() => registry.find(typed)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(meant) }),
    );
  });

  it('suggests nothing for what is like nothing, however long it is', () => {
    for (const typed of ['zzzzzzzz', 'x'.repeat(100_000)]) {
      expect(() => registry.find(typed)).toThrow(
        expect.objectContaining({ hint: 'See `wherry help` for a list of available commands.' }),
      );
    }
  });

  it('has each command in the table of those that are called over SSH', () => {
    const called = new Set(rows({ keys: ['', ''], pem: '' }).map(({ name }) => name));
    expect(commands.map(({ name }) => name).filter(name => !called.has(name))).toEqual([]);
    expect([...called].filter(name => !commands.some(command => command.name === name))).toEqual([]);
  });

  it('shows an unknown name without its control characters', () => {
    expect(() => registry.find('\x1b[31mred')).toThrow('`\\u{1b}[31mred` is not a wherry command.');
  });

  it('holds every command that the README promises', () => {
    const promised = [
      ...['apps:create', 'apps:destroy', 'apps:list', 'apps:exists', 'apps:report', 'apps:scale'],
      ...['config', 'config:set', 'config:get', 'config:unset', 'config:show', 'config:export'],
      ...['domains:add', 'domains:remove', 'domains:set', 'domains:clear', 'domains:report'],
      ...['ps:scale', 'ps:report', 'ps:restart', 'ps:stop', 'ps:start', 'ps:rebuild'],
      ...['resource:limit', 'resource:report', 'quota:set', 'quota:report', 'logs', 'releases'],
      ...['releases:info', 'rollback', 'events', 'git:set', 'git:report', 'urls', 'version', 'help'],
      ...['ssh-keys:add', 'ssh-keys:list', 'ssh-keys:remove'],
    ];
    expect(promised.filter(name => !registry.lookup(name))).toEqual([]);
  });
});

describe.each(commands.map(command => [command.name, command] as const))('%s', (_name, command) => {
  it('has a summary of one line that starts upper-case and has no final stop', () => {
    expect(command.summary).toMatch(/^[A-Z][^\n]{5,100}[^.\n]$/);
  });

  it('has examples, and each is a command line of it that parses', () => {
    expect(command.examples?.length).toBeGreaterThan(0);
    for (const example of command.examples ?? []) {
      const { name, rest, globals } = readInvocation(splitWords(example));
      expect([command.name, ...(command.aliases ?? [])]).toContain(name);
      expect(() => parseWords(command, readWords(command, rest, globals)), example).not.toThrow();
    }
  });

  it('puts the app first, required words before optional ones, and the rest last', () => {
    const kinds = Object.values(command.args);
    const app = kinds.findIndex(kind => kind.role !== undefined);
    // What is about people names them first.
    expect(app).toBeLessThanOrEqual(kinds[0]?.word === 'user' ? kinds.length - 1 : 0);
    // One that words leave out by themselves may come before.
    const firstOptional = kinds.findIndex(kind => !kind.required && !kind.globalBefore);
    if (firstOptional >= 0) expect(kinds.slice(firstOptional).every(kind => !kind.required)).toBe(true);
    expect(kinds.slice(0, -1).every(kind => !kind.rest)).toBe(true);
  });
});

describe('the command table of README.md', () => {
  it('is current', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(withCommandTable(readme, registry), 'run "npm run docs"').toBe(readme);
  });

  it('is made anew between its markers and nowhere else', () => {
    const before = 'a\n<!-- commands:start -->\nold\n<!-- commands:end -->\nz\n';
    const after = withCommandTable(before, createRegistry([named('x:y')]));
    expect(after).toBe(
      'a\n<!-- commands:start -->\n| command | what it does |\n| --- | --- |\n| `x:y` | Do nothing |\n<!-- commands:end -->\nz\n',
    );
  });

  it('has nowhere to go without markers', () => {
    expect(withCommandTable('a\n', registry)).toBeUndefined();
  });
});
