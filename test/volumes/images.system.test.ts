import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exec } from '../../src/system/exec.ts';
import { isMounted, unmountBelow } from '../../src/system/mounts.ts';
import { createVolumeImages, type VolumeImages } from '../../src/volumes/images.ts';

const mib = 2 ** 20;
let root: string;
let volumes: VolumeImages;
const at = (...names: string[]) => join(root, 'storage', ...names);
const again = () => createVolumeImages({ images: join(root, 'images'), storage: join(root, 'storage') });
const failed = (name: string, error: unknown) => {
  throw new Error(`${name}: ${String(error)}`);
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wherry-volumes-'));
  volumes = again();
});
afterEach(async () => {
  await unmountBelow(root);
  await rm(root, { recursive: true, force: true });
  expect((await exec('losetup', ['--list', '--output', 'BACK-FILE'])).stdout).not.toContain(root);
});

describe('storage of a size', () => {
  test('is an empty folder of its user, which takes no more than that, and little of the disk before', async () => {
    await volumes.create('uploads', 32 * mib, 1000);
    expect(await readdir(at('uploads'))).toEqual([]);
    expect(await stat(at('uploads'))).toMatchObject({ uid: 1000, gid: 1000 });
    const { blocks } = await stat(join(root, 'images', 'uploads.ext4'));
    expect(blocks * 512).toBeLessThan(8 * mib);
    const write = exec('dd', ['if=/dev/zero', `of=${at('uploads', 'file')}`, 'bs=1M', 'count=40']);
    await expect(write).rejects.toMatchObject({ stderr: expect.stringContaining('No space left') });
    const room = await volumes.room('uploads');
    expect(room).toMatchObject({ size: 32 * mib });
    expect(room?.used).toBeGreaterThan(20 * mib);
    expect(room?.free).toBeLessThan(mib);
    expect(await volumes.room('other')).toBeUndefined();
  });

  test('is there again after a boot, with what was in it; what was half made is not', async () => {
    await volumes.create('uploads', 32 * mib, 1000);
    await writeFile(at('uploads', 'kept'), 'word');
    await unmountBelow(root);
    await writeFile(join(root, 'images', 'half.ext4.new'), 'x');
    await writeFile(join(root, 'images', 'broken.ext4'), 'no file system');
    volumes = again();
    expect(volumes.isReady('uploads')).toBe(false);
    const broken: string[] = [];
    await volumes.restore(name => broken.push(name));
    expect(broken).toEqual(['broken']);
    expect(await readdir(at('uploads'))).toEqual(['kept']);
    expect(existsSync(join(root, 'images', 'half.ext4.new'))).toBe(false);
    // Asked again, as after a restart of the daemon alone, it mounts nothing twice.
    await rm(join(root, 'images', 'broken.ext4'));
    await again().restore(failed);
    await exec('umount', [at('uploads')]);
    expect(isMounted(at('uploads'))).toBe(false);
  });

  test('grows with what is in it, and does not shrink', async () => {
    await volumes.create('uploads', 32 * mib, 1000);
    await writeFile(at('uploads', 'kept'), 'word');
    await volumes.grow('uploads', 64 * mib);
    const room = await volumes.room('uploads');
    expect(room).toMatchObject({ size: 64 * mib });
    expect(room?.free).toBeGreaterThan(40 * mib);
    expect(await readdir(at('uploads'))).toEqual(['kept']);
    await expect(volumes.grow('uploads', 48 * mib)).rejects.toThrow('cannot shrink');
    expect(await volumes.room('uploads')).toMatchObject({ size: 64 * mib });
  });

  test('leaves nothing behind when it is removed, and is not made over what is there', async () => {
    await volumes.create('uploads', 16 * mib, 0);
    await expect(volumes.create('uploads', 16 * mib, 0)).rejects.toThrow('is there already');
    expect(await volumes.names()).toEqual(['uploads']);
    await volumes.remove('uploads');
    expect(existsSync(at('uploads'))).toBe(false);
    expect(await readdir(join(root, 'images'))).toEqual([]);
    expect(await volumes.names()).toEqual([]);
  });
});
