import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/build/layers/digest.ts';
import { flatten } from '../../../src/build/layers/flatten.ts';
import { opaqueFolders } from '../../../src/build/layers/opaque.ts';
import { unmarkNewFolders } from '../../../src/build/layers/unmark.ts';
import { exec } from '../../../src/system/exec.ts';

let root: string;
const at = (...parts: string[]) => join(root, ...parts);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-overlay-'));
  for (const name of ['lower', 'upper', 'work', 'merged', 'lower/keep/deep', 'lower/remade', 'lower/gone'])
    mkdirSync(at(name), { recursive: true });
  for (const name of ['keep/a', 'keep/deep/b', 'remade/old', 'gone/x', 'file', 'deleted'])
    writeFileSync(at('lower', name), name);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Changes the lower folder through a real overlay. */
async function overlay(change: (merged: string) => void): Promise<void> {
  const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
  await exec('mount', ['-t', 'overlay', 'overlay', '-o', options, at('merged')]);
  try {
    change(at('merged'));
  } finally {
    await exec('umount', [at('merged')]);
  }
}

const change = (merged: string) => {
  rmSync(join(merged, 'deleted'));
  rmSync(join(merged, 'gone'), { recursive: true });
  rmSync(join(merged, 'remade'), { recursive: true });
  mkdirSync(join(merged, 'remade'));
  writeFileSync(join(merged, 'remade/new'), 'new');
  writeFileSync(join(merged, 'keep/deep/b'), 'changed');
  writeFileSync(join(merged, 'keep/c'), 'added');
};

describe('an overlay of a build', () => {
  it('tells folders that were deleted and made again', async () => {
    await overlay(change);
    expect([...(await opaqueFolders(at('upper'), [at('lower')]))]).toEqual(['remade']);
    expect([...(await opaqueFolders(at('upper'), [at('nothing')]))]).toEqual([]);
  });

  it('is flattened into what it showed, sharing unchanged files and leaving the lower as it was', async () => {
    await overlay(change);
    const before = await digestOf(at('lower'));
    const opaque = await opaqueFolders(at('upper'), [at('lower')]);
    await flatten({ lower: at('lower'), upper: at('upper'), opaque, out: at('out') });
    expect(readdirSync(at('out')).sort()).toEqual(['file', 'keep', 'remade']);
    expect(readdirSync(at('out/remade'))).toEqual(['new']);
    expect(readFileSync(at('out/keep/deep/b'), 'utf8')).toBe('changed');
    expect(readFileSync(at('out/keep/c'), 'utf8')).toBe('added');
    expect(statSync(at('out/keep/a')).ino).toBe(statSync(at('lower/keep/a')).ino);
    expect(await digestOf(at('lower'))).toEqual(before);
  });

  it('hides nothing of other layers with folders that were renamed into place', async () => {
    await overlay(merged => {
      change(merged);
      mkdirSync(join(merged, 'keep/made'));
      writeFileSync(join(merged, 'keep/made/mine'), 'mine');
      renameSync(join(merged, 'keep/made'), join(merged, 'keep/new'));
    });
    unmarkNewFolders(at('upper'), [at('lower')]);
    expect([...(await opaqueFolders(at('upper'), [at('lower')]))]).toEqual(['remade']);
    mkdirSync(at('lower/keep/new'));
    writeFileSync(at('lower/keep/new/other'), 'other');
    await overlay(merged => expect(readdirSync(join(merged, 'keep/new')).sort()).toEqual(['mine', 'other']));
  });

  it('has a digest that tells a deletion from nothing', async () => {
    await overlay(merged => rmSync(join(merged, 'file')));
    const digest = await digestOf(at('upper'));
    rmSync(at('upper/file'));
    expect(existsSync(at('upper/file'))).toBe(false);
    expect(digest.entries).toBe(1);
    expect((await digestOf(at('upper'))).diffId).not.toBe(digest.diffId);
  });

  it('refuses device files', async () => {
    await exec('mknod', [at('upper/disk'), 'b', '8', '0']);
    await expect(digestOf(at('upper'))).rejects.toThrow('"disk" is a device file');
  });
});
