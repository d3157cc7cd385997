import { describe, expect, it } from 'vitest';
import { parseProcfile } from '../../src/build/procfile.ts';

const processes = (text: string) => Object.fromEntries(parseProcfile(text).processes);

describe('Procfile', () => {
  it('H12 reads types and commands', () => {
    expect(processes('web: node server.js\nworker: bundle exec sidekiq -c 5\n')).toEqual({
      web: 'node server.js',
      worker: 'bundle exec sidekiq -c 5',
    });
  });

  it('H12 takes a BOM, CRLF, tabs, blank lines, comments, and colons in commands', () => {
    expect(
      processes('\uFEFF# the processes\r\n\r\n  web:\tnode a.js: b \r\n#worker: x\r\nclock :  tick'),
    ).toEqual({
      web: 'node a.js: b',
      clock: 'tick',
    });
  });

  it('H12 lets the last of two equal types win, with a warning', () => {
    const { processes, warnings } = parseProcfile('web: one\nweb: two');
    expect([...processes.values()]).toEqual(['two']);
    expect(warnings).toEqual(['Procfile names process type web twice; the last one counts.']);
  });

  it.each([
    ['web: a\nnonsense', 'Invalid Procfile: line 2 "nonsense" is not "type: command".'],
    ['web:', 'Invalid Procfile: line 1 gives process type "web" no command.'],
    ['web: a\n<<<<<<< HEAD', 'line 2 "<<<<<<< HEAD" is not "type: command"'],
    ['$(id): x', 'line 1: Process type "$(id)" is not valid'],
    ['../x: y', 'Process type "../x" is not valid'],
    [`${'a'.repeat(64)}: y`, 'is not valid'],
    ['web: a\0b', 'line 1 holds a control character'],
    [`web: ${'x'.repeat(9000)}`, 'line 1 is longer than 8192 characters'],
    ['# nothing\n', 'it names no process'],
    ['', 'it names no process'],
    [Array.from({ length: 10_000 }, (_, index) => `p${index}: x`).join('\n'), 'more than 100 process types'],
  ])('H12 refuses %j', (text, message) => {
    expect(() => parseProcfile(text)).toThrow(message);
  });
});
