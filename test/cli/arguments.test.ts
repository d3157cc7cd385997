import { describe, expect, it } from 'vitest';
import { commandName, readArguments } from '../../src/cli/arguments.ts';

describe('the client’s own arguments', () => {
  it.each([
    [['--data', '/d', 'apps:list'], '/d', ['apps:list']],
    [['--data=/d', 'apps:list', '--quiet'], '/d', ['apps:list', '--quiet']],
    [['--quiet', '--data', '/d', 'apps:list'], '/d', ['--quiet', 'apps:list']],
    [['--app', 'blog', '--data', '/d', 'urls'], '/d', ['--app', 'blog', 'urls']],
    [['apps:list', '--data', '/d'], '/env', ['apps:list', '--data', '/d']],
    [['--', 'apps:list'], '/env', ['--', 'apps:list']],
    [[], '/env', []],
  ])('%j name the directory %s', (argv, data, words) => {
    const isLocal = data === '/d';
    expect(readArguments(argv, { WHERRY_DATA: '/env' })).toEqual({ data, isLocal, words });
  });

  it('have a default, and make a relative directory absolute', () => {
    expect(readArguments(['help'], {}).data).toBe('/var/lib/wherry');
    expect(readArguments(['--data', 'x', 'help'], {}).data).toBe(`${process.cwd()}/x`);
  });

  it('are not taken as other bytes than were typed', () => {
    const word = Buffer.from([0x41, 0x3d, 0xff]).toString();
    expect(() => readArguments(['config:set', 'blog', word], {})).toThrow(/not UTF-8/);
  });

  it('tell which word is the command', () => {
    expect(commandName(['--app', 'blog', '--quiet', 'run', 'ls'])).toBe('run');
    expect(commandName(['--', 'run'])).toBe('run');
    expect(commandName(['--app=blog'])).toBeUndefined();
  });
});
