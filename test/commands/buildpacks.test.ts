import { beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import type { Actor } from '../../src/domain/push.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
});

const nodejs = 'https://github.com/heroku/heroku-buildpack-nodejs.git';
const ruby = 'https://github.com/heroku/heroku-buildpack-ruby.git';
const own = 'https://example.org/own/pack.git#v1';
const list = async () => (await bench.run('buildpacks:list', 'blog')).stdout.trim().split(/\n\s*/).slice(1);

describe('buildpacks', () => {
  it('are added at the end or at a position, short names written out', async () => {
    await bench.run('buildpacks:add', 'blog', 'heroku/nodejs');
    await bench.run('buildpacks:add', 'blog', 'heroku/ruby');
    expect((await bench.run('buildpacks:add', '--index', '1', 'blog', own)).code).toBe(0);
    expect((await bench.run('buildpacks:list', 'blog')).stdout).toBe(
      `=====> blog buildpack urls\n       ${own}\n       ${nodejs}\n       ${ruby}\n`,
    );
  });

  it('are not added twice', async () => {
    await bench.run('buildpacks:add', 'blog', 'heroku/nodejs');
    const { code, stderr } = await bench.run('buildpacks:add', 'blog', nodejs);
    expect(code).toBe(1);
    expect(stderr).toMatch(/heroku-buildpack-nodejs\.git is already set on blog/);
  });

  it('are set at the first place, at a position or as a whole', async () => {
    await bench.run('buildpacks:set', 'blog', 'heroku/nodejs');
    await bench.run('buildpacks:set', '--index', '2', 'blog', 'heroku/ruby');
    expect(await list()).toEqual([nodejs, ruby]);
    await bench.run('buildpacks:set', 'blog', own);
    expect(await list()).toEqual([own, ruby]);
    await bench.run('buildpacks:set', '--index', '9', 'blog', 'wherry/procfile');
    expect(await list()).toEqual([own, ruby, 'wherry/procfile']);
    await bench.run('buildpacks:set', '--replace', 'blog', 'heroku/ruby', 'heroku/nodejs');
    expect(await list()).toEqual([ruby, nodejs]);
    expect((await bench.run('buildpacks:set', 'blog', 'heroku/a', 'heroku/b')).stderr).toMatch(
      /Use --replace/,
    );
    expect((await bench.run('buildpacks:set', '--replace', '--index', '1', 'blog', own)).code).toBe(1);
  });

  it('are removed by name or position', async () => {
    await bench.run('buildpacks:set', '--replace', 'blog', 'heroku/nodejs', 'heroku/ruby', own);
    expect((await bench.run('buildpacks:remove', 'blog', 'heroku/ruby')).stdout).toBe(
      `-----> Removing ${ruby}\n`,
    );
    await bench.run('buildpacks:remove', '--index', '1', 'blog');
    expect(await list()).toEqual([own]);
    const both = await bench.run('buildpacks:remove', '--index', '1', 'blog', own);
    expect(both.stderr).toMatch(/Please choose either index or Buildpack, but not both/);
    const neither = await bench.run('buildpacks:remove', 'blog');
    expect(neither.stderr).toMatch(/Must specify a buildpack to remove, either by index or URL/);
    expect((await bench.run('buildpacks:remove', 'blog', 'heroku/ruby')).stderr).toMatch(
      /App blog has no buildpack/,
    );
    expect((await bench.run('buildpacks:remove', '--index', '7', 'blog')).stderr).toMatch(/at index 7/);
  });

  it('are cleared, after which there is nothing to remove', async () => {
    await bench.run('buildpacks:set', 'blog', own);
    await bench.run('buildpacks:clear', 'blog');
    expect(await list()).toEqual([]);
    expect((await bench.run('buildpacks:remove', 'blog', own)).stderr).toMatch(
      /No buildpacks were found, next release on blog will detect buildpack normally/,
    );
  });

  it('are reported with the stack', async () => {
    await bench.run('buildpacks:set', '--replace', 'blog', own, 'heroku/ruby');
    await bench.run('buildpacks:set-property', 'blog', 'stack', 'heroku-24');
    const { stdout } = await bench.run('buildpacks:report', 'blog');
    expect(stdout).toMatch(/^=====> blog buildpacks information\n/);
    expect(stdout).toMatch(/Buildpacks computed stack: +heroku-24\n/);
    expect((await bench.run('buildpacks:report', 'blog', '--buildpacks-list')).stdout).toBe(
      `${own},${ruby}\n`,
    );
    await bench.run('buildpacks:set-property', 'blog', 'stack');
    expect((await bench.run('buildpacks:report', 'blog', '--buildpacks-computed-stack')).stdout).toBe(
      'wherry-12\n',
    );
    expect((await bench.run('buildpacks:set-property', 'blog', 'colour', 'x')).stderr).toMatch(
      /valid properties include: stack/,
    );
  });

  it.each([
    ['file:///etc'],
    ['ext::sh -c id'],
    ['git@example.org:a/b.git'],
    ['ssh://169.254.169.254/x'],
    ['https://user:secret@example.org/a/b'],
    ['nodejs'],
    ['--upload-pack=id'],
  ])('such as %j are refused', async given => {
    const { code, stderr } = await bench.run('buildpacks:add', 'blog', '--', given);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/Invalid buildpack specified/);
    expect(stderr).not.toContain('secret');
    expect(await list()).toEqual([]);
  });

  it('that are folders are for those on the host', async () => {
    const actor: Actor = { name: 'ann', via: 'ssh' };
    const words = ['buildpacks:add', 'blog', '/srv/buildpacks/mine'];
    const refused = await bench.runWith({ words, actor });
    expect([refused.code, refused.stderr]).toEqual([21, expect.stringContaining('is on the host')]);
    expect((await bench.runWith({ words })).code).toBe(0);
    expect(await list()).toEqual(['/srv/buildpacks/mine']);
  });

  it('are told to nobody after the app is destroyed', async () => {
    await bench.run('buildpacks:set', 'blog', own);
    await bench.run('apps:destroy', 'blog', '--force');
    await bench.run('apps:create', 'blog');
    expect(await list()).toEqual([]);
  });

  it('are detected in the last pushed commit', async () => {
    const missing = await bench.run('buildpacks:detect', 'blog');
    expect(missing.stderr).toMatch(/App blog has no pushed commit to build/);
    const blog = bench.store.apps.get(parseAppName('blog'));
    bench.store.apps.setDeployBranch(blog, 'main');
    bench.heads.set('blog', '1'.repeat(40));
    await bench.run('buildpacks:set', 'blog', own);
    const { stdout } = await bench.run('buildpacks:detect', 'blog');
    expect(stdout).toBe(`${own}\n`);
    expect((await bench.run('buildpacks:detect', '--branch', '../x', 'blog')).stderr).toMatch(
      /is not a branch name/,
    );
  });
});
