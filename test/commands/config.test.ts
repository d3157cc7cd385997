import { beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { exec } from '../../src/system/exec.ts';
import { type Bench, createBench } from './support.ts';

const strange = ' "quotes" \' $HOME `id` \\n \\ é世 = # \n second line\t\n\n';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
});
const value = async (key: string) => (await bench.run('config:get', 'blog', key)).stdout.slice(0, -1);

describe('config:set', () => {
  it('shows keys and values in columns, as dokku does', async () => {
    expect((await bench.run('config:set', 'blog', 'KEY=value', 'LONGER=other')).stdout).toBe(
      '-----> Setting config vars\n       KEY:     value\n       LONGER:  other\n',
    );
  });

  it('keeps values byte for byte', async () => {
    await bench.run('config:set', 'blog', `STRANGE=${strange}`, 'EMPTY=', 'EQUALS=a=b=c');
    expect(await value('STRANGE')).toBe(strange);
    expect(await value('EMPTY')).toBe('');
    expect(await value('EQUALS')).toBe('a=b=c');
  });

  it('decodes base64 with --encoded, and refuses what is not', async () => {
    const encoded = Buffer.from(strange).toString('base64');
    expect((await bench.run('config:set', '--encoded', 'blog', `STRANGE=${encoded}`)).code).toBe(0);
    expect(await value('STRANGE')).toBe(strange);
    for (const wrong of ['not base64!', Buffer.from([0xff, 0xfe]).toString('base64'), 'AA==']) {
      const refused = await bench.run('config:set', '--encoded', 'blog', 'A=MQ==', `B=${wrong}`);
      expect(refused.code, wrong).toBe(1);
    }
    expect((await bench.run('config:get', 'blog', 'A')).code).toBe(1);
  });

  it.each([['1A=x'], ['A-B=x'], ['=x'], ['A B=x'], ['novalue'], ['A=x\0y'], [`A=${'x'.repeat(140_000)}`]])(
    'refuses %.20j and stores nothing of the line',
    async pair => {
      const { code, stderr } = await bench.run('config:set', 'blog', 'GOOD=1', pair);
      expect(code).toBe(1);
      expect(stderr.length).toBeLessThan(300);
      expect((await bench.run('config:get', 'blog', 'GOOD')).code).toBe(1);
    },
  );

  it('refuses more than a program can be given', async () => {
    const big = 'x'.repeat(120_000);
    for (let at = 0; at < 8; at++)
      expect((await bench.run('config:set', 'blog', `K${at}=${big}`)).code).toBe(0);
    const refused = await bench.run('config:set', 'blog', `K8=${big}`);
    expect(refused.stderr).toMatch(/All config together/);
  });

  it('releases an app that is deployed, unless told not to', async () => {
    await bench.deployed('blog');
    await bench.run('config:set', '--no-restart', 'blog', 'A=1');
    expect(bench.runtime.told).toEqual([]);
    await bench.run('config:set', 'blog', 'B=2');
    expect(bench.runtime.told.map(({ desired }) => desired.config)).toEqual([{ A: '1', B: '2' }]);
    expect((await bench.run('releases', 'blog')).stdout).toMatch(/v2 .*Set B/);
  });

  it('keeps the values and fails when the release does not start', async () => {
    await bench.deployed('blog');
    bench.runtime.says.fault = new WherryError('check-failed', 'It did not listen.');
    const { code, stderr } = await bench.run('config:set', 'blog', 'A=1');
    expect(code).toBe(25);
    expect(stderr).toMatch(/config is stored/);
    expect(stderr).toMatch(/It did not listen/);
    expect(await value('A')).toBe('1');
  });
});

describe('config:get', () => {
  it('of a key that is not set prints nothing and gives 1', async () => {
    expect(await bench.run('config:get', 'blog', 'NONE')).toEqual({ code: 1, stdout: '', stderr: '' });
  });

  it('does not take a key of every object for one of ours', async () => {
    expect(await bench.run('config:get', 'blog', 'constructor')).toEqual({ code: 1, stdout: '', stderr: '' });
  });
});

describe('config:unset', () => {
  it('removes what is set and skips what is not', async () => {
    await bench.run('config:set', 'blog', 'A=1', 'B=2');
    const { code, stdout } = await bench.run('config:unset', 'blog', 'A', 'NONE');
    expect(code).toBe(0);
    expect(stdout).toBe('-----> Unsetting A\n-----> Skipping NONE, it is not set in the environment\n');
    expect((await bench.run('config:show', 'blog', '--format', 'json')).stdout).toBe('{"B":"2"}\n');
  });

  it('of nothing that is set releases nothing', async () => {
    await bench.deployed('blog');
    await bench.run('config:unset', 'blog', 'NONE');
    expect(bench.runtime.told).toEqual([]);
  });
});

describe('config:show', () => {
  it('lists keys in byte order with two spaces, also as "config"', async () => {
    await bench.run('config:set', 'blog', 'aKey=true', 'BKEY=true');
    const shown = '=====> blog env vars\nBKEY:  true\naKey:  true\n';
    expect((await bench.run('config:show', 'blog')).stdout).toBe(shown);
    expect((await bench.run('config', 'blog')).stdout).toBe(shown);
  });
});

describe('config:export', () => {
  beforeEach(() => bench.run('config:set', 'blog', `STRANGE=${strange}`, 'A=1'));

  it.each([['exports'], ['shell']])('as %s is read by a shell byte for byte', async format => {
    const { stdout } = await bench.run('config:export', '--format', format, 'blog');
    const script = `${stdout.trimEnd()}\nprintf '%s|' "$A" "$STRANGE"`;
    expect((await exec('sh', ['-c', script])).stdout).toBe(`1|${strange}|`);
  });

  it('as envfile has one line a variable', async () => {
    const { stdout } = await bench.run('config:export', 'blog', '--format', 'envfile');
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(stdout).toContain('A="1"\n');
  });

  it('as JSON holds the values', async () => {
    const { stdout } = await bench.run('config:export', 'blog', '--format', 'json');
    expect(JSON.parse(stdout)).toEqual({ A: '1', STRANGE: strange });
    const list = JSON.parse((await bench.run('config:export', 'blog', '--format=json-list')).stdout);
    expect(list).toEqual([
      { name: 'A', value: '1' },
      { name: 'STRANGE', value: strange },
    ]);
  });

  it('in a format that is not known names the known ones', async () => {
    expect((await bench.run('config:export', 'blog', '--format', 'xml')).stderr).toMatch(/exports, envfile/);
  });
});
