import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLaunch } from '../../../src/build/lifecycle/launch.ts';
import { mergeProcesses, specOf } from '../../../src/build/lifecycle/processes.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-launch-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const launch = (toml: string, api = '0.10') => {
  writeFileSync(join(dir, 'launch.toml'), toml);
  return readLaunch(join(dir, 'launch.toml'), { id: 'a', api }, '/workspace');
};
const web = (fields: string, type = 'web') => `[[processes]]\ntype = "${type}"\n${fields}\n`;
const process = (type: string, isDefault = false) =>
  launch(web(`command = ["run", "${type}"]\ndefault = ${isDefault}`, type)).processes;

describe('launch.toml', () => {
  it('A2 ignores working-dir at API 0.7, with a warning, and heeds it later', () => {
    const old = launch(web('command = "x"\nworking-dir = "/w"'), '0.7');
    expect(old.processes[0]?.workingDir).toBe('/workspace');
    expect(old.warnings).toEqual([
      'launch.toml of a: working-dir of web is ignored: Buildpack API 0.7 has none.',
    ]);
    const later = launch(web('command = "x"\nworking-dir = "/w"'), '0.8');
    expect([later.processes[0]?.workingDir, later.warnings]).toEqual(['/w', []]);
  });

  it('A2 takes one string for a shell up to API 0.8, directly if it says so, and appends arguments', () => {
    const [shell, direct] = launch(
      web('command = "echo $X"') + web('command = "echo"\nargs = ["1"]\ndirect = true', 'x'),
      '0.8',
    ).processes;
    expect(shell).toMatchObject({ command: ['echo $X'], direct: false, replaceArgs: false });
    expect(direct).toMatchObject({ command: ['echo'], args: ['1'], direct: true, replaceArgs: false });
    expect(() => launch(web('command = ["echo"]'), '0.8')).toThrow('command must be a string');
  });

  it('A2 takes lists that are always direct from API 0.9 on, and replaces arguments', () => {
    const [only] = launch(web('command = ["a", "b"]\nargs = ["c"]'), '0.9').processes;
    expect(only).toMatchObject({ command: ['a', 'b'], args: ['c'], direct: true, replaceArgs: true });
    expect(() => launch(web('command = "a"'), '0.9')).toThrow('command must be a list');
    expect(() => launch(web('command = ["a"]\ndirect = true'), '0.9')).toThrow('"direct" is not a key');
  });

  it('A2 leaves out processes of other execution environments', () => {
    const toml = web('command = ["a"]\nexec-env = ["test"]') + web('command = ["b"]\nexec-env = ["*"]', 'x');
    expect(launch(toml, '0.12').processes.map(({ type }) => type)).toEqual(['x']);
  });

  it('B6 refuses two defaults in one buildpack, and types that are no names', () => {
    const twice = web('command = ["a"]\ndefault = true') + web('command = ["a"]\ndefault = true', 'x');
    expect(() => launch(twice)).toThrow('marks two processes as the default');
    expect(() => launch(web('command = ["a"]', 'a b'))).toThrow('Process type');
  });

  it('B6 takes types with dots, dashes and underscores, but none that names an instance', () => {
    for (const type of ['web.api', 'a_b-c.d', 'A9'])
      expect(launch(web('command = ["a"]', type)).processes[0]?.type).toBe(type);
    for (const type of ['web.1', '.web', 'web.', 'a..b', 'a/b', ''])
      expect(() => launch(web('command = ["a"]', type))).toThrow('Process type');
  });

  it('B7 has a working directory below that of the app unless it is absolute', () => {
    const at = (dir: string) =>
      launch(web(`command = ["a"]\nworking-dir = "${dir}"`)).processes[0]?.workingDir;
    expect([at('sub/dir'), at('/else'), at('.'), at('')]).toEqual([
      '/workspace/sub/dir',
      '/else',
      '/workspace',
      '/workspace',
    ]);
  });

  it('B6 lets the last default of all buildpacks win, and sorts by type', () => {
    const merged = mergeProcesses([process('web', true), process('api', true), process('cli')]);
    expect(merged.processes.map(({ type }) => type)).toEqual(['api', 'cli', 'web']);
    expect([merged.defaultType, merged.warnings]).toEqual(['api', []]);
  });

  it('B6 has no default once a later buildpack redefines it as none, and warns', () => {
    const merged = mergeProcesses([process('web', true), process('web')]);
    expect([merged.defaultType, merged.processes.length]).toEqual([undefined, 1]);
    expect(merged.warnings).toEqual([expect.stringContaining('web was the default until it was redefined')]);
  });

  it('B6 reads labels and slices, and refuses patterns that are none', () => {
    const said = launch('[[labels]]\nkey = "a.b"\nvalue = "1"\n[[slices]]\npaths = ["x/*"]\n[[slices]]\n');
    expect([said.labels, said.slices]).toEqual([{ 'a.b': '1' }, [['x/*'], []]]);
    expect(() => launch('[[slices]]\npaths = ["[x"]\n')).toThrow('"[x" is not a pattern');
  });

  it('B7 always passes the rest of the command, then arguments that are defaults', () => {
    const [direct] = launch(web('command = ["a", "b"]\nargs = ["c"]')).processes;
    expect(direct && specOf(direct)).toEqual({
      type: 'web',
      command: ['a', 'b', 'c'],
      workingDir: '/workspace',
    });
    const [shell] = launch(web('command = "a $X"'), '0.8').processes;
    expect(shell && specOf(shell).command).toEqual(['/cnb/lifecycle/shell', 'a $X']);
  });
});
