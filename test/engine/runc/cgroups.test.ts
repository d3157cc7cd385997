import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCgroupsV1 } from '../../../src/engine/runc/cgroups-v1.ts';
import { createCgroupsV2 } from '../../../src/engine/runc/cgroups-v2.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wherry-cgroups-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const put = async (files: Record<string, string>) => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
};
const get = (path: string) => readFile(join(root, path), 'utf8');

describe('control groups of version 2', () => {
  const open = () => createCgroupsV2({ version: 2, root, every: [root] });

  test('hand the controllers down on the way to a new group', async () => {
    await put({ 'cgroup.controllers': 'cpuset cpu io memory pids\n', 'cgroup.subtree_control': 'cpu\n' });
    open().make('/wherry-1/blog');
    expect(await get('cgroup.subtree_control')).toBe('+memory +pids');
  });

  test('set limits without swap', async () => {
    await put({ 'a/b/memory.swap.max': 'max' });
    const cgroups = open();
    cgroups.setMemory('/a/b', 1000);
    cgroups.setPids('/a/b', 5);
    cgroups.setCpus('/a/b', 1.5);
    expect(await get('a/b/memory.max')).toBe('1000');
    expect(await get('a/b/memory.swap.max')).toBe('0');
    expect(await get('a/b/pids.max')).toBe('5');
    expect(await get('a/b/cpu.max')).toBe('150000 100000');
    cgroups.setMemory('/a/b', null);
    cgroups.setCpus('/a/b', undefined);
    expect(await get('a/b/memory.max')).toBe('max');
    expect(await get('a/b/cpu.max')).toBe('max 100000');
  });

  test('tell use, peak, limit, kills and refusals', async () => {
    await put({
      'a/memory.current': '5000\n',
      'a/memory.peak': '7000\n',
      'a/memory.max': '8192\n',
      'a/memory.stat': 'anon 1000\nfile 900\nactive_file 300\ninactive_file 400\n',
      'a/memory.events': 'low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n',
      'a/memory.events.local': 'low 0\nhigh 0\nmax 1\noom 1\noom_kill 2\n',
      'a/pids.current': '3\n',
      'a/pids.max': 'max\n',
      'a/pids.events': 'max 4\n',
      'a/cpu.stat': 'usage_usec 4242\nuser_usec 1\n',
    });
    const cgroups = open();
    expect(cgroups.memory('/a')).toEqual({ usage: 5000, reclaimable: 700, peak: 7000, limit: 8192 });
    expect(cgroups.kills('/a')).toEqual({ kills: 2, hits: 1 });
    expect(cgroups.pids('/a')).toEqual({ current: 3, limit: null, refused: 4 });
    expect(cgroups.cpu('/a')).toBe(4242);
  });

  test('give back what nobody has mapped, and cold memory where there is swap', async () => {
    await put({
      'a/memory.stat':
        'anon 9000\nfile 1000\nfile_mapped 300\nshmem 100\nfile_dirty 50\nfile_writeback 5\ninactive_anon 4000\n',
      'a/memory.swap.max': '0',
      'a/memory.reclaim': '',
    });
    expect(open().spare('/a', false)).toBe(545);
    expect(open().spare('/a', true)).toBe(4545);
    open().allowSwap('/a');
    expect(await get('a/memory.swap.max')).toBe('max');
    await open().takeBack('/a', 545, 9000);
    expect(await get('a/memory.reclaim')).toBe('545');
  });

  test('make no control file that the kernel does not have', async () => {
    await put({ 'a/memory.max': '9000' });
    await expect(open().takeBack('/a', 545, 9000)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(get('a/memory.reclaim')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('tell zeros for a group that is gone', () => {
    expect(open().memory('/gone')).toEqual({ usage: 0, reclaimable: 0, peak: 0, limit: null });
    expect(open().processes('/gone')).toEqual([]);
    open().remove('/gone');
  });
});

describe('control groups of version 1', () => {
  const open = () =>
    createCgroupsV1({
      version: 1,
      roots: {
        memory: join(root, 'memory'),
        pids: join(root, 'pids'),
        cpu: join(root, 'cpu'),
        freezer: join(root, 'freezer'),
      },
      every: ['memory', 'pids', 'cpu', 'freezer', 'systemd'].map(name => join(root, name)),
    });

  test('show a limit near the largest number as none', async () => {
    await put({ 'memory/a/memory.limit_in_bytes': '9223372036854771712\n' });
    expect(open().memory('/a').limit).toBeNull();
  });

  test('limit memory and swap together where swap is accounted, else turn swapping off', async () => {
    await put({ 'memory/memory.memsw.limit_in_bytes': '1', 'memory/a/memory.limit_in_bytes': '100' });
    expect(open().swapLimited).toBe(true);
    open().setMemory('/a', 5000);
    expect(await get('memory/a/memory.memsw.limit_in_bytes')).toBe('5000');
    await rm(join(root, 'memory', 'memory.memsw.limit_in_bytes'));
    expect(open().swapLimited).toBe(false);
    open().setMemory('/a', 6000);
    expect(await get('memory/a/memory.limit_in_bytes')).toBe('6000');
    expect(await get('memory/a/memory.swappiness')).toBe('0');
  });

  test('give back what nobody has mapped, and have their limit afterwards', async () => {
    await put({
      'memory/memory.memsw.limit_in_bytes': '1',
      'memory/a/memory.stat':
        'cache 7\ntotal_cache 1000\ntotal_mapped_file 300\ntotal_shmem 100\ntotal_dirty 50\ntotal_writeback 5\n',
      'memory/a/memory.usage_in_bytes': '8000',
      'memory/a/memory.limit_in_bytes': '9000',
    });
    expect(open().spare('/a', true)).toBe(545);
    await open().takeBack('/a', 545, 9000);
    expect(await get('memory/a/memory.limit_in_bytes')).toBe('9000');
    await rm(join(root, 'memory/a'), { recursive: true });
    await expect(open().takeBack('/a', 545, 9000)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('remove a group and those below it from every hierarchy', async () => {
    for (const name of ['memory', 'systemd']) await mkdir(join(root, name, 'w/blog/x'), { recursive: true });
    expect(open().children('/w')).toEqual(['blog']);
    open().remove('/w');
    expect(open().exists('/w')).toBe(false);
    await expect(get('systemd/w')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
