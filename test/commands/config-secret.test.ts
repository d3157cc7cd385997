import { beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

const value = 'k1-never-shown';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
  await bench.run('config:set', '--secret', 'blog', `API_KEY=${value}`);
  await bench.run('config:set', 'blog', 'PLAIN=seen-by-all');
});
const blog = () => bench.store.apps.get(parseAppName('blog'));

describe('a write-only variable', () => {
  it('is what the app is built and run with', async () => {
    expect(bench.store.config.merged(blog())).toEqual({ API_KEY: value, PLAIN: 'seen-by-all' });
    await bench.deployed('blog');
    await bench.run('config:set', 'blog', 'B=2');
    expect(bench.runtime.told.at(-1)?.desired.config).toMatchObject({ API_KEY: value });
  });

  it('is not read by config:get, which fails as for who may not', async () => {
    for (const more of [[], ['--merged'], ['--quoted'], ['--format', 'json']]) {
      const { code, stdout, stderr } = await bench.run('config:get', ...more, 'blog', 'API_KEY');
      expect(code).toBe(21);
      expect(stderr).toMatch(/API_KEY is write-only/);
      expect(stdout).not.toContain(value);
    }
  });

  it('is shown as three stars', async () => {
    expect((await bench.run('config:show', 'blog')).stdout).toBe(
      '=====> blog env vars\nAPI_KEY:  ***\nPLAIN:    seen-by-all\n',
    );
    expect(JSON.parse((await bench.run('config:show', 'blog', '--format', 'json')).stdout)).toEqual({
      API_KEY: '***',
      PLAIN: 'seen-by-all',
    });
  });

  it.each(['exports', 'envfile', 'shell', 'pretty', 'json', 'json-list', 'docker-args', 'pack-keys'])(
    'is left out of an export as %s, which says so',
    async format => {
      const { code, stdout, stderr } = await bench.run('config:export', '--format', format, 'blog');
      expect([code, stderr]).toEqual([0, ' !     Left out, for they are write-only: API_KEY.\n']);
      expect(stdout).not.toContain('API_KEY');
      expect(stdout).toContain('PLAIN');
    },
  );

  it('is in no answer of any command that is about config', async () => {
    const names = bench.registry.list().filter(({ name }) => /^(config|ps:inspect|releases)/.test(name));
    const reads = names.filter(({ effect }) => effect === 'read');
    expect(reads.length).toBeGreaterThan(8);
    await bench.deployed('blog');
    for (const { name } of reads)
      for (const words of [
        ['blog'],
        ['blog', 'API_KEY'],
        ['--merged', 'blog'],
        ['blog', '--format', 'json'],
      ]) {
        const { stdout, stderr } = await bench.run(name, ...words);
        expect(stdout + stderr, `${name} ${words.join(' ')}`).not.toContain(value);
      }
  });

  it('is not shown when it is set, nor when it is set again without the flag', async () => {
    const first = await bench.run('config:set', '--secret', 'blog', 'OTHER=another-value');
    expect(first.stdout).toContain('OTHER:  ***');
    const again = await bench.run('config:set', 'blog', 'OTHER=changed-value', 'SEEN=1');
    expect(again.stdout).toContain('OTHER:  ***\n       SEEN:   1');
    expect((await bench.run('config:get', 'blog', 'OTHER')).code).toBe(21);
    expect(bench.store.config.own(blog())['OTHER']).toBe('changed-value');
  });

  it('takes an old, readable variable over', async () => {
    await bench.run('config:set', '--secret', 'blog', 'PLAIN=hidden-now');
    expect((await bench.run('config:get', 'blog', 'PLAIN')).code).toBe(21);
  });

  it('stays so through imports, also those that replace all', async () => {
    for (const flags of [[], ['--replace']]) {
      const words = ['config:import', ...flags, 'blog', '-'];
      expect((await bench.runWith({ words, stdin: 'API_KEY=imported-value\nNEW=1\n' })).stdout).toContain(
        '***',
      );
      expect((await bench.run('config:get', 'blog', 'API_KEY')).code).toBe(21);
      expect((await bench.run('config:get', 'blog', 'NEW')).stdout).toBe('1\n');
    }
    await bench.runWith({ words: ['config:import', '--secret', 'blog', '-'], stdin: 'NEW=2\n' });
    expect((await bench.run('config:get', 'blog', 'NEW')).code).toBe(21);
  });

  it('ends with its value', async () => {
    await bench.run('config:unset', 'blog', 'API_KEY');
    await bench.run('config:set', 'blog', 'API_KEY=public-now');
    expect((await bench.run('config:get', 'blog', 'API_KEY')).stdout).toBe('public-now\n');
  });

  it('comes back as such with a rollback, and with a rollback to that', async () => {
    await bench.deployed('blog');
    await bench.deployed('blog');
    const released = bench.store.releases.live(blog())?.version;
    await bench.run('config:unset', 'blog', 'API_KEY');
    expect((await bench.run('config:get', 'blog', 'API_KEY')).code).toBe(1);
    await bench.run('rollback', 'blog', `v${released}`);
    expect((await bench.run('config:get', 'blog', 'API_KEY')).code).toBe(21);
    const back = bench.store.releases.live(blog())?.version;
    await bench.run('config:unset', 'blog', 'API_KEY');
    await bench.run('rollback', 'blog', `v${back}`);
    expect((await bench.run('config:get', 'blog', 'API_KEY')).code).toBe(21);
    expect(bench.store.config.own(blog())['API_KEY']).toBe(value);
  });

  it('is one in a clone and after a rename', async () => {
    await bench.run('apps:clone', '--skip-deploy', 'blog', 'copy');
    expect((await bench.run('config:get', 'copy', 'API_KEY')).code).toBe(21);
    expect((await bench.run('config:get', 'copy', 'PLAIN')).stdout).toBe('seen-by-all\n');
    await bench.run('apps:rename', 'copy', 'moved');
    expect((await bench.run('config:get', 'moved', 'API_KEY')).code).toBe(21);
  });

  it('of all apps is one in each, unless the app has its own', async () => {
    await bench.run('config:set', '--global', '--secret', 'SHARED=for-all-apps');
    expect((await bench.run('config:get', '--global', 'SHARED')).code).toBe(21);
    expect((await bench.run('config:get', '--merged', 'blog', 'SHARED')).code).toBe(21);
    expect((await bench.run('config:show', '--merged', 'blog')).stdout).toContain('SHARED:   ***');
    await bench.run('config:set', 'blog', 'SHARED=of-the-blog');
    expect((await bench.run('config:get', '--merged', 'blog', 'SHARED')).stdout).toBe('of-the-blog\n');
  });

  it('is marked by name where names are listed', async () => {
    expect((await bench.run('config:keys', 'blog')).stdout).toBe('API_KEY\nPLAIN\n');
    expect((await bench.run('config:keys', '--secret', 'blog')).stdout).toBe('API_KEY\n');
    expect((await bench.run('config:report', 'blog', '--config-secret-keys')).stdout).toBe('API_KEY\n');
  });
});
