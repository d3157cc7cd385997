import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
const run = (line: string) => bench.run(...line.split(' '));
const app = () => bench.store.apps.get(parseAppName('blog'));
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});

describe('storage', () => {
  it('is made once, for the user of instances unless told, and mounted by name', async () => {
    const made = await run('storage:ensure-directory blog/uploads --chown false');
    expect(made.stdout).toContain('Directory ready for mounting: blog/uploads');
    const path = join(bench.services.dataDir, 'storage', 'blog', 'uploads');
    expect((await stat(path)).isDirectory()).toBe(true);
    expect((await run('storage:mount blog blog/uploads:/data:ro')).code).toBe(0);
    expect((await run('storage:list blog')).stdout).toContain('blog/uploads:/data:ro');
    expect(await bench.services.volumes.mounts(app(), 'web')).toEqual([
      { source: path, target: '/data', readonly: true },
    ]);
    expect((await run('storage:report blog --storage-run-mounts')).stdout).toBe('-v blog/uploads:/data:ro\n');
    expect((await run('storage:unmount blog blog/uploads:/data')).code).toBe(0);
    expect(await bench.services.volumes.mounts(app(), 'web')).toEqual([]);
  });

  it("takes dokku's own folder for a name, and other folders of the host as they are", async () => {
    await run('storage:mount blog /var/lib/dokku/data/storage/blog:/data');
    await run('storage:mount blog /usr/share:/share');
    const { stdout } = await run('storage:list blog --format json');
    expect(JSON.parse(stdout)).toMatchObject([{ host_path: 'blog' }, { host_path: '/usr/share' }]);
    await expect(bench.services.volumes.mounts(app(), 'web')).rejects.toThrow('There is no storage blog');
  });

  it.each([
    ['blog', 'is not a mount'],
    ['blog:', 'is not a mount'],
    ['blog:/data:rwx', 'is not a mount'],
    ['../secret:/data', 'is not a name of storage'],
    ['blog/../x:/data', 'is not a name of storage'],
    ['blog:data', 'no place to mount'],
    ['blog:/', 'no place to mount'],
    ['blog:/a/../b', 'no place to mount'],
    ['/:/host', 'is not shown to apps'],
    ['/etc:/etc2', 'is not shown to apps'],
    ['/proc/1:/x', 'is not shown to apps'],
    ['/srv/../etc:/x', 'is not shown to apps'],
    ['/nonexistent/folder:/x', 'is not there on the host'],
  ])('refuses %s', async (mount, reason) => {
    const ran = await bench.run('storage:mount', 'blog', mount);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(bench.services.volumes.list(app())).toEqual([]);
  });

  it("never shows the platform's own folder, nor one around it, nor what a link leads to", async () => {
    const { dataDir, volumes } = bench.services;
    for (const path of [dataDir, join(dataDir, 'edge'), join(dataDir, '..')])
      expect((await bench.run('storage:mount', 'blog', `${path}:/x`)).stderr).toContain(
        'is not shown to apps',
      );
    await volumes.ensure('blog', undefined);
    symlinkSync('/etc', join(dataDir, 'storage', 'link'));
    await run('storage:mount blog link:/x');
    await expect(volumes.mounts(app(), 'web')).rejects.toThrow('There is no storage link');
  });

  it.each([
    ['storage:create blog/uploads --size 1g', 'is a part of other storage'],
    ['storage:create small --size 8m', 'is too small. Give 16m or more'],
    ['storage:create huge --size 4000g', 'free, less than'],
    ['storage:create odd --size lots', 'is not an amount'],
    ['storage:create ../x --size 1g', 'is not a name of storage'],
    ['storage:create full --size 1g', 'Storage full is there already'],
    ['storage:set full size 1g', 'was made without a size'],
    ['storage:set nothing size 1g', 'There is no storage nothing'],
    ['storage:exec nothing ls', 'There is no storage nothing'],
    ['storage:exec full ls', 'No app that was deployed mounts storage full'],
  ])('is not given a size or looked into by %s', async (line, reason) => {
    const { volumes, dataDir } = bench.services;
    await volumes.ensure('full/of/folders', undefined);
    const ran = await run(line);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(await volumes.sized()).toEqual([]);
    expect(existsSync(join(dataDir, 'storage', 'small'))).toBe(false);
  });

  it('is looked into by an instance of an app that mounts it', async () => {
    const { volumes } = bench.services;
    const ran: unknown[] = [];
    bench.runtime.run = async (desired, { argv }) => {
      ran.push(desired.app.name, desired.image.workingDir, argv);
      return 3;
    };
    await volumes.ensure('uploads', undefined);
    await run('storage:mount blog uploads:/data');
    expect((await run('storage:exec uploads -- ls -l')).code).toBe(3);
    expect(ran).toEqual(['blog', '/data', ['ls', '-l']]);
  });

  it('cannot be mounted twice at one path, or unmounted when it is not', async () => {
    await run('storage:mount blog blog:/data');
    expect((await run('storage:mount blog other:/data')).stderr).toContain(
      'Something is mounted at /data already',
    );
    expect((await run('storage:unmount blog blog:/other')).stderr).toContain('does not mount blog at /other');
  });

  it('is as large as du says, is deleted when no app sees it, and goes on without its app', async () => {
    const { volumes, dataDir } = bench.services;
    await volumes.ensure('blog', undefined);
    mkdirSync(join(dataDir, 'storage', 'blog', 'deep'));
    writeFileSync(join(dataDir, 'storage', 'blog', 'file'), Buffer.alloc(100_000, 1));
    await run('storage:mount blog blog:/data');
    expect((await run('storage:info blog')).stdout).toMatch(/blog +\d+(\.\d)?k +blog/);
    expect((await run('storage:destroy blog --force')).stderr).toContain('App blog mounts storage blog');
    await run('apps:destroy blog --force');
    expect((await run('storage:info')).stdout).toMatch(/blog +\d+/);
    expect((await run('storage:destroy blog --force')).code).toBe(0);
    expect((await run('storage:destroy blog --force')).stderr).toContain('There is no storage blog');
  });
});
