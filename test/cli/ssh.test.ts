import { describe, expect, it } from 'vitest';
import { sshArguments } from '../../src/cli/ssh.ts';
import { terminalCommands, wantsTerminal } from '../../src/cli/wants-terminal.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { splitWords } from '../../src/domain/words.ts';

const remote = { user: 'wherry', host: 'apps.example.org', port: 2222 };

describe('what ssh is started with', () => {
  it('names the person, the place and nothing that could be an option', () => {
    expect(sshArguments(remote, ['apps:list'], { terminal: false, asks: true })).toEqual([
      ...['-T', '-p', '2222', '-l', 'wherry', '--', 'apps.example.org', 'apps:list'],
    ]);
    expect(
      sshArguments({ user: 'ann', host: 'apps' }, ['run', 'blog', 'sh'], { terminal: true, asks: true }),
    ).toEqual([...['-t', '-l', 'ann', '--', 'apps', 'run blog sh']]);
  });

  it('asks nobody when it is told so', () => {
    expect(sshArguments(remote, ['apps:list'], { terminal: false, asks: false })).toContain('BatchMode=yes');
  });

  const pem = '-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n';
  it.each([
    [''],
    [' '],
    ["it's"],
    ['"a" \\ `b` $HOME ${X} $(id) !!'],
    ['{"a":["b c",null],"d":"\\n"}'],
    [pem],
    ["''\\''"],
    ['é世\u{1f6a2}\t\r\n'],
    ['a;b|c&d>e<f*g?h[i]j~k#l'],
    ['--'],
    ['\x01\x1b[31m\x7f'],
  ])('brings %j there as it is', value => {
    const words = ['config:set', 'blog', `A=${value}`, value, 'B=2'];
    expect(splitWords(sshArguments(remote, words, { terminal: false, asks: true }).at(-1) ?? '')).toEqual(
      words,
    );
  });

  it('is refused when SSH cannot carry it, with the remedy', () => {
    expect(() =>
      sshArguments(remote, ['config:set', `A=${'x'.repeat(40_000)}`], { terminal: false, asks: true }),
    ).toThrow('standard input');
  });
});

describe('a terminal', () => {
  const on = { stdin: { isTTY: true }, stdout: { isTTY: true } };
  it('is for the commands that the registry says', () => {
    const registered = createCoreRegistry().list();
    expect([...terminalCommands].sort()).toEqual(
      registered.flatMap(({ name, tty }) => (tty ? [name] : [])).sort(),
    );
  });

  it('is wanted when both ends are one', () => {
    expect(wantsTerminal(['--app', 'blog', 'run', 'sh'], on)).toBe(true);
    expect(wantsTerminal(['run', 'blog', 'sh'], { ...on, stdout: {} })).toBe(false);
    expect(wantsTerminal(['run', 'blog', 'sh'], { ...on, stdin: {} })).toBe(false);
    expect(wantsTerminal(['apps:list'], on)).toBe(false);
  });
});
