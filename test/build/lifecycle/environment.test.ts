import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  applyChange,
  pathChanges,
  readEnvFolder,
  withUserEnv,
} from '../../../src/build/lifecycle/environment.ts';
import { renderLauncher } from '../../../src/build/lifecycle/launcher.ts';
import { exec } from '../../../src/system/exec.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-env-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (files: Record<string, string>, root = dir) => {
  const into = join(root, 'env');
  mkdirSync(into, { recursive: true });
  for (const [name, value] of Object.entries(files)) writeFileSync(join(into, name), value);
};
const env = (start: Record<string, string>) => readEnvFolder([dir], 'env').reduce(applyChange, start);

/** What the launcher, a real shell, makes of the same files. */
async function launched(
  start: Record<string, string>,
  more: Record<string, string> = {},
): Promise<Record<string, string>> {
  const script = join(dir, '..', `launcher-${Math.random()}`);
  const only = Object.entries(more).map(([name, value]) => ({
    ...{ name, value, action: 'override' as const, delimiter: '' },
    type: 'web',
  }));
  const changes = [...readEnvFolder([dir], 'env'), ...only];
  writeFileSync(script, renderLauncher({ changes, programs: [], processes: [] }), { mode: 0o755 });
  try {
    const { stdout } = await exec('/bin/sh', [script, '--', '/usr/bin/env', '-0'], { env: start });
    return Object.fromEntries(
      stdout
        .split('\0')
        .filter(Boolean)
        .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  } finally {
    rmSync(script);
  }
}

describe("a layer's environment", () => {
  it('V5 overrides, sets defaults, appends and prepends, in the build as in the launcher', async () => {
    write({
      PLAIN: 'plain',
      'OVER.override': 'over',
      'DEF.default': 'def',
      'APP.append': 'app',
      'APP.delim': ';',
      'PRE.prepend': 'pre',
      'BARE.append': 'y',
    });
    const start = { OVER: 'old', DEF: 'kept', APP: 'a', PRE: 'p', BARE: 'x', PLAIN: 'old', PATH: '/bin' };
    const expected = { ...start, PLAIN: 'plain', OVER: 'over', APP: 'a;app', PRE: 'prep', BARE: 'xy' };
    expect(env(start)).toEqual(expected);
    expect(await launched(start)).toMatchObject(expected);
    const fresh = { PLAIN: 'plain', OVER: 'over', DEF: 'def', APP: 'app', PRE: 'pre', BARE: 'y' };
    expect(env({})).toEqual(fresh);
    expect(await launched({ DEF: '' })).toMatchObject(fresh);
  });

  it('V5 keeps trailing newlines, quotes, dollars and newlines as they are, and runs none of it', async () => {
    const hostile = `'"$(touch ${dir}/pwned)\`id\`\n\\ $PATH\n`;
    write({ 'X.override': hostile, 'Y.append': hostile, 'Y.delim': "'; exit 1; '" });
    expect((await launched({ Y: 'y' }))['X']).toBe(hostile);
    expect((await launched({ Y: 'y' }))['Y']).toBe(`y'; exit 1; '${hostile}`);
    expect(readEnvFolder([dir], 'env').map(({ name }) => name)).toEqual(['X', 'Y']);
  });

  it('V6 adds what is for one process type by DYNO', async () => {
    expect((await launched({ DYNO: 'web.2' }, { ONLY: 'web' }))['ONLY']).toBe('web');
    expect((await launched({ DYNO: 'worker.1' }, { ONLY: 'web' }))['ONLY']).toBeUndefined();
    expect((await launched({}, { ONLY: 'web' }))['ONLY']).toBeUndefined();
  });

  it('V5 passes over unknown suffixes, folders and links out of the layer, and refuses names that no shell takes', () => {
    write({ 'A.unknown': 'x', 'B.append.more': 'x' });
    mkdirSync(join(dir, 'env/web'));
    symlinkSync('/etc/passwd', join(dir, 'env/PASSWD'));
    expect(readEnvFolder([dir], 'env')).toEqual([]);
    write({ 'A;touch x': 'x' });
    expect(() => readEnvFolder([dir], 'env')).toThrow('is no variable name');
  });

  it('V5 counts a link to a file of the layer, by whichever kind of path, and no other', () => {
    const inside = '/layers/x/y';
    write({ PLAIN: 'plain' });
    mkdirSync(join(dir, 'values'));
    writeFileSync(join(dir, 'values/a'), 'from a');
    symlinkSync(join(dir, 'values'), join(dir, 'around'));
    for (const [name, target] of Object.entries({
      ABSOLUTE: '/layers/x/y/values/a',
      'RELATIVE.default': '../values/a',
      BESIDE: 'PLAIN',
      CHAIN: 'ABSOLUTE',
      AROUND: '../around/a',
      FOLDER: '../values',
      DANGLING: 'nowhere',
      OTHER: '/layers/x/other/values/a',
      CLIMBING: '../../../../../etc/hostname',
      HOST: '/etc/hostname',
    }))
      symlinkSync(target, join(dir, 'env', name));
    expect(readEnvFolder([dir], 'env', { inside }).map(({ name, value }) => [name, value])).toEqual([
      ['ABSOLUTE', 'from a'],
      ['BESIDE', 'plain'],
      ['PLAIN', 'plain'],
      ['RELATIVE', 'from a'],
    ]);
    const upper = join(dir, 'upper');
    mkdirSync(join(upper, 'env'), { recursive: true });
    symlinkSync('../values/a', join(upper, 'env/LOWER'));
    expect(readEnvFolder([upper, dir], 'env', { inside }).map(({ name }) => name)).toContain('LOWER');
  });

  it('is not read through a link in the place of its folder', () => {
    const host = join(dir, 'host');
    write({ STOLEN: 'secret' }, host);
    const layer = join(dir, 'layer');
    mkdirSync(layer);
    symlinkSync(join(host, 'env'), join(layer, 'env'));
    symlinkSync(host, join(layer, 'env.launch'));
    expect(readEnvFolder([layer], 'env')).toEqual([]);
    expect(readEnvFolder([layer], 'env.launch/env')).toEqual([]);
    expect(readEnvFolder([host], 'env')).toHaveLength(1);
  });

  it('is read from the upper folder before the restored one', () => {
    const lower = join(dir, 'lower');
    write({ A: 'old', B: 'below' }, lower);
    write({ A: 'new' });
    expect(readEnvFolder([dir, lower], 'env').reduce(applyChange, {})).toEqual({ A: 'new', B: 'below' });
  });

  it('B5 puts folders of a layer in front of the path variables of the phase', () => {
    for (const folder of ['bin', 'lib', 'include']) mkdirSync(join(dir, folder));
    const names = (phase: 'build' | 'launch') =>
      pathChanges(phase, [dir], '/layers/x/y').map(({ name, value }) => `${name}=${value}`);
    expect(names('build')).toEqual([
      'PATH=/layers/x/y/bin',
      'LD_LIBRARY_PATH=/layers/x/y/lib',
      'LIBRARY_PATH=/layers/x/y/lib',
      'CPATH=/layers/x/y/include',
    ]);
    expect(names('launch')).toEqual(['PATH=/layers/x/y/bin', 'LD_LIBRARY_PATH=/layers/x/y/lib']);
  });

  it('B5 counts a link in the place of a folder, and follows it nowhere', () => {
    symlinkSync('/layers/x/y/dist/bin', join(dir, 'bin'));
    symlinkSync('/etc/passwd', join(dir, 'lib'));
    expect(pathChanges('launch', [dir], '/layers/x/y').map(({ value }) => value)).toEqual([
      '/layers/x/y/bin',
      '/layers/x/y/lib',
    ]);
  });

  it('V3 lets a user replace variables, but only put folders in front of path variables', () => {
    expect(withUserEnv({ PATH: '/bin', A: '1' }, { PATH: '/mine', A: '2' })).toEqual({
      PATH: '/mine:/bin',
      A: '2',
    });
  });
});
