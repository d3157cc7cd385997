import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launchOf } from '../../../src/build/lifecycle/layer-launch.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-layer-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const put = (path: string, text = '') => {
  mkdirSync(join(dir, path, '..'), { recursive: true });
  writeFileSync(join(dir, path), text);
};
const launch = () => launchOf(dir, '/layers/x/y');

describe('a layer at launch', () => {
  it('L3 has the programs of exec.d by name, then those of each process type', () => {
    for (const path of ['exec.d/b', 'exec.d/a', 'exec.d/web/c', 'exec.d/api.v2/d', 'exec.d/web/deep/e'])
      put(path);
    expect(launch().programs).toEqual([
      { path: '/layers/x/y/exec.d/a' },
      { path: '/layers/x/y/exec.d/b' },
      { path: '/layers/x/y/exec.d/api.v2/d', type: 'api.v2' },
      { path: '/layers/x/y/exec.d/web/c', type: 'web' },
    ]);
  });

  it('L3 runs links as well, by which one program often has many names, and opens no folder through one', () => {
    put('bin/helper');
    mkdirSync(join(dir, 'exec.d'));
    mkdirSync(join(dir, 'profile.d'));
    symlinkSync('/layers/x/y/bin/helper', join(dir, 'exec.d/memory'));
    symlinkSync('../bin/helper', join(dir, 'profile.d/a.sh'));
    expect(launch().programs).toEqual([{ path: '/layers/x/y/exec.d/memory' }]);
    expect(launch().profiles).toEqual([{ path: '/layers/x/y/profile.d/a.sh' }]);
    rmSync(join(dir, 'exec.d'), { recursive: true });
    symlinkSync('/usr/bin', join(dir, 'exec.d'));
    expect(launch().programs).toEqual([]);
  });

  it('V6 has env, then env.launch, then what is for each process type', () => {
    for (const path of ['env/A', 'env.build/B', 'env.launch/C', 'env.launch/web/D']) put(path, path);
    expect(launch().env.map(({ name, type }) => [name, type])).toEqual([
      ['A', undefined],
      ['C', undefined],
      ['D', 'web'],
    ]);
  });
});
