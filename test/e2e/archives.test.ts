import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildpackHost, openBuildpackHost } from '../build/support/buildpack-host.ts';
import { tarOf } from '../build/support/oci-images.ts';
import { zipOf } from '../build/support/zips.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// Static sites, which need nothing of a network to be built. A host on loopback stands in for one on the Internet.
describe('an archive of an app', () => {
  let wherry: Wherry;
  let host: BuildpackHost;
  let root: string;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'wherry-archives-'));
    host = await openBuildpackHost(root);
    wherry = await startWherry({ env: { WHERRY_ALLOW_HOSTS: host.host } });
    expect((await wherry.ssh('apps:create', 'packed')).code).toBe(0);
  });
  afterAll(async () => {
    await wherry?.stop();
    await host?.close();
    rmSync(root, { recursive: true, force: true });
  });
  const page = async () => (await wherry.get('packed')).text;

  it('on standard input is a commit that runs and that can be cloned and pushed on', async () => {
    const tar = gzipSync(await tarOf([{ name: 'site-1/index.html', mode: 0o644, text: 'one' }]));
    const sent = await wherry.cliWith(tar, 'git:from-archive', 'packed', '-', 'Ann', 'ann@example.org');
    expect(sent.code, sent.output).toBe(0);
    expect(sent.output).toContain('Application deployed');
    expect(await page()).toBe('one');
    const same = await wherry.cliWith(tar, 'git:from-archive', 'packed', '--');
    expect([same.code, same.output]).toEqual([0, expect.stringContaining('No changes detected')]);

    const repository = await wherry.repository('packed', { files: { 'other.html': '' } });
    expect((await repository.git('fetch', '--quiet', 'wherry', 'main')).code).toBe(0);
    expect((await repository.git('reset', '--quiet', '--hard', 'FETCH_HEAD')).code).toBe(0);
    expect(readFileSync(join(repository.dir, 'index.html'), 'utf8')).toBe('one');
    expect((await repository.git('log', '-1', '--format=%an')).stdout.trim()).toBe('Ann');
    repository.write({ 'index.html': 'pushed' });
    await repository.commit('Push on');
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect(await page()).toBe('pushed');
  });

  it('at a URL is fetched and deployed', async () => {
    await host.archive('site.tar.gz', { 'index.html': 'from a URL' });
    const sent = await wherry.ssh('git:from-archive', 'packed', `${host.url}/files/site.tar.gz`);
    expect(sent.code, sent.output).toBe(0);
    expect(await page()).toBe('from a URL');
    expect((await wherry.cli('releases', 'packed')).stdout).toContain(
      `Files of ${host.url}/files/site.tar.gz`,
    );
  });

  it('that is a zip and leads out, or breaks the app, leaves what runs', async () => {
    const before = await page();
    const zip = zipOf([
      { name: 'index.html', text: 'evil' },
      { name: '../../x', text: 'x' },
    ]);
    const refused = await wherry.cliWith(zip, 'git:from-archive', 'packed', '-', '--archive-type', 'zip');
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('leads out of the archive')]);
    const broken = zipOf([{ name: 'Procfile', text: 'web: exit 1' }]);
    const failed = await wherry.cliWith(broken, 'git:from-archive', 'packed', '-');
    expect(failed.code).not.toBe(0);
    expect(await page()).toBe(before);
    const good = zipOf([{ name: 'site/index.html', text: 'from a zip' }]);
    expect((await wherry.cliWith(good, 'git:from-archive', 'packed', '-')).code).toBe(0);
    expect(await page()).toBe('from a zip');
  });

  it('is not fetched by anything but https, nor from inside the network', async () => {
    for (const [url, why] of [
      ['file:///etc/passwd', 'is fetched by file, which is not supported'],
      ['https://ann:secret@example.org/a.tgz', 'has a name or password in it'],
      ['http://169.254.169.254/latest.tgz', 'is not fetched'],
      ['nonsense', 'is no URL'],
    ] as const) {
      const sent = await wherry.ssh('git:from-archive', 'packed', url);
      expect(sent.code, url).not.toBe(0);
      expect(sent.output).toContain(why);
      expect(sent.output).not.toContain('secret');
    }
  });

  it('or a repository elsewhere is taken over, built when asked, and pushed on', async () => {
    const url = `${host.url}/smart/blog.git`;
    const sync = async (...words: string[]) => await wherry.ssh('git:sync', ...words);
    const shown = async () => (await wherry.get('synced')).text;
    expect((await wherry.ssh('apps:create', 'synced')).code).toBe(0);
    const one = await host.commit('blog', { 'index.html': 'one' });
    const first = await sync('--build', 'synced', url);
    expect(first.code, first.output).toBe(0);
    expect(await shown()).toBe('one');
    expect((await wherry.cli('git:report', 'synced', '--git-source')).stdout.trim()).toBe(url);
    expect((await wherry.cli('git:report', 'synced', '--git-sha')).stdout.trim()).toBe(one);
    expect((await sync('--build-if-changes', 'synced', url)).output).toContain('Skipping build');

    await host.commit('blog', { 'index.html': 'two' });
    expect((await sync('synced', url)).code).toBe(0);
    expect(await shown()).toBe('one');
    expect((await wherry.cli('ps:rebuild', 'synced')).code).toBe(0);
    expect(await shown()).toBe('two');

    await host.commit('blog', { 'index.html': 'three', Procfile: 'web: exit 1' });
    expect((await sync('--build', 'synced', url)).code).not.toBe(0);
    expect(await shown()).toBe('two');

    const repository = await wherry.repository('synced', { files: {} });
    expect((await repository.git('fetch', '--quiet', 'wherry', 'main')).code).toBe(0);
    expect((await repository.git('reset', '--quiet', '--hard', 'FETCH_HEAD')).code).toBe(0);
    repository.write({ 'index.html': 'pushed' });
    await repository.commit('Push on');
    expect((await repository.push()).code).toBe(0);
    expect(await shown()).toBe('pushed');
    expect((await wherry.cli('git:report', 'synced', '--git-source')).stdout.trim()).toBe('');
  });

  it('with a submodule has its files, or is refused by the name of the one that cannot be had', async () => {
    const commit = await host.commit('part', { 'page.html': 'of the submodule' });
    const list = (url: string) => `[submodule "part"]\n\tpath = part\n\turl = ${url}\n`;
    const url = `${host.url}/smart/part.git`;
    const files = { 'index.html': 'whole', '.gitmodules': list(url) };
    const repository = await wherry.repository('parted', { files });
    const link = ['update-index', '--add', '--cacheinfo', `160000,${commit},part`];
    expect((await repository.git(...link)).code).toBe(0);
    expect((await repository.git('commit', '--quiet', '-m', 'Submodule')).code).toBe(0);
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('parted', '/part/page.html')).text).toBe('of the submodule');

    for (const [place, why] of [
      ['file:///srv/part.git', 'Submodule "part" comes from "file:///srv/part.git"'],
      ['git@example.org:ann/part.git', 'There is no deploy key yet'],
    ] as const) {
      repository.write({ '.gitmodules': list(place) });
      expect((await repository.git('commit', '--quiet', '-m', place, '.gitmodules')).code).toBe(0);
      const refused = await repository.push();
      expect(refused.code).not.toBe(0);
      expect(refused.output).toContain(why);
    }
    expect((await wherry.get('parted')).text).toBe('whole');
  });
});
