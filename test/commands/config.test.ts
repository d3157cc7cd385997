import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/domain/app.ts';
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

describe('config:keys and config:clear', () => {
  beforeEach(() => bench.run('config:set', 'blog', 'B=2', 'A=1'));

  it('list the names alone, and remove all with one release', async () => {
    await bench.deployed('blog');
    expect((await bench.run('config:keys', 'blog')).stdout).toBe('A\nB\n');
    expect((await bench.run('config:clear', 'blog')).stdout).toContain(
      '-----> Unsetting A\n-----> Unsetting B\n',
    );
    expect(bench.runtime.told.map(({ desired }) => desired.config)).toEqual([{}]);
    expect((await bench.run('config:keys', 'blog')).stdout).toBe('');
  });

  it('give JSON, and 20 for an app that is not there', async () => {
    expect(JSON.parse((await bench.run('config:keys', 'blog', '--format', 'json')).stdout)).toEqual([
      'A',
      'B',
    ]);
    expect((await bench.run('config:keys', 'none')).code).toBe(20);
    expect((await bench.run('config:clear', 'none')).code).toBe(20);
  });
});

describe('config of all apps', () => {
  const live = () => {
    const release = bench.store.releases.live(bench.store.apps.list()[0] as App);
    return release && bench.store.releases.config(release);
  };

  it('is under that of the app, in what is built and run, and shown apart', async () => {
    await bench.run('config:set', 'blog', 'A=own');
    await bench.run('config:set', '--global', 'A=all', 'TZ=UTC');
    expect((await bench.run('config:show', '--global')).stdout).toBe(
      '=====> global env vars\nA:   all\nTZ:  UTC\n',
    );
    expect((await bench.run('config:keys', 'blog')).stdout).toBe('A\n');
    expect((await bench.run('config:show', '--merged', 'blog')).stdout).toBe(
      '=====> blog env vars\nA:   own\nTZ:  UTC\n',
    );
    expect((await bench.run('config:get', 'blog', 'TZ')).code).toBe(1);
    expect((await bench.run('config:get', '--merged', 'blog', 'TZ')).stdout).toBe('UTC\n');
    await bench.deployed('blog');
    bench.heads.set('blog', '1'.repeat(40));
    await bench.run('git:set', 'blog', 'deploy-branch', 'main');
    expect((await bench.run('ps:rebuild', 'blog')).code).toBe(0);
    expect(bench.asked.map(({ config }) => config)).toEqual([{ A: 'own', TZ: 'UTC' }]);
    expect(live()).toEqual({ A: 'own', TZ: 'UTC' });
  });

  it('releases no app unless told to, and then those that it changes', async () => {
    await bench.deployed('blog');
    await bench.deployed('shop');
    await bench.run('config:set', '--no-restart', 'shop', 'TZ=UTC');
    await bench.run('config:set', 'shop', 'B=1');
    bench.runtime.told.length = 0;
    const stored = await bench.run('config:set', '--global', 'TZ=UTC');
    expect(stored.stdout).toContain('next release of: blog (');
    expect(bench.runtime.told).toEqual([]);
    expect((await bench.run('config:set', '--global', 'TZ=UTC', '--restart')).code).toBe(0);
    expect(bench.runtime.told.map(({ desired }) => desired.app.name)).toEqual(['blog']);
    expect(live()).toEqual({ TZ: 'UTC' });
    expect((await bench.run('config:unset', '--global', 'TZ', '--restart')).code).toBe(0);
    expect(live()).toEqual({});
  });

  it('is no config of one app after a rollback', async () => {
    await bench.run('config:set', '--global', 'TZ=UTC');
    await bench.deployed('blog');
    await bench.run('config:set', 'blog', 'A=1');
    expect((await bench.run('rollback', 'blog')).code).toBe(0);
    expect((await bench.run('config:keys', 'blog')).stdout).toBe('');
    expect(live()).toEqual({ TZ: 'UTC' });
  });

  it('tells of one that cannot be released with it, and goes on to the next', async () => {
    await bench.deployed('blog');
    await bench.deployed('shop');
    bench.runtime.says.fault = new WherryError('check-failed', 'It did not listen.');
    const { code, stderr } = await bench.run('config:set', '--global', 'A=1', '--restart');
    expect(code).toBe(1);
    expect(stderr).toMatch(/blog: It did not listen.*shop: It did not listen.*returned 2 errors/s);
  });

  it('refuses what no app could be started with, and --merged', async () => {
    const big = 'x'.repeat(120_000);
    for (let at = 0; at < 8; at++) await bench.run('config:set', 'blog', `K${at}=${big}`);
    expect((await bench.run('config:set', '--global', `ALL=${big}`)).stderr).toMatch(/All config together/);
    expect((await bench.run('config:keys', '--global')).stdout).toBe('');
    expect((await bench.run('config:show', '--merged', '--global')).stderr).toMatch(/Leave out --global/);
  });
});

describe('config:import', () => {
  const given = (stdin: string, ...words: string[]) =>
    bench.runWith({ words: ['config:import', ...words], stdin });

  it('takes back byte for byte what config:export wrote, as envfile and JSON', async () => {
    await bench.run('config:set', 'blog', `STRANGE=${strange}`, 'PEM=-----BEGIN-----\nab+/=\n', 'A=1');
    const before = (await bench.run('config:show', 'blog', '--format', 'json')).stdout;
    for (const format of ['envfile', 'json']) {
      const { stdout } = await bench.run('config:export', '--format', format, 'blog');
      await bench.run('config:clear', 'blog');
      expect((await given(stdout, '--format', format, 'blog', '-')).code).toBe(0);
      expect((await bench.run('config:show', 'blog', '--format', 'json')).stdout).toBe(before);
    }
  });

  it('sets what is named, and with --replace nothing else stays', async () => {
    await bench.run('config:set', 'blog', 'A=1', 'B=2');
    await given('B=3\nC=4\n', 'blog', '-');
    expect(JSON.parse((await bench.run('config:show', 'blog', '--format', 'json')).stdout)).toEqual({
      A: '1',
      B: '3',
      C: '4',
    });
    await given('C=5', '--replace', '--no-restart', 'blog', '-');
    expect((await bench.run('config:keys', 'blog')).stdout).toBe('C\n');
    await given('{"TZ":"UTC"}', '--format', 'json', '--global', '-');
    expect((await bench.run('config:get', '--global', 'TZ')).stdout).toBe('UTC\n');
  });

  it.each([
    ['envfile', 'GOOD=secret-1\n1BAD=2'],
    ['envfile', 'GOOD="secret-1'],
    ['envfile', ''],
    ['json', '{"GOOD": "secret-1"'],
    ['json', '["secret-1"]'],
    ['json', '{"GOOD":"secret-1","B":1}'],
    ['json', `{"GOOD":"secret-1","B":"${'x'.repeat(140_000)}"}`],
  ])('refuses as %s %.30j whole, and shows no value', async (format, content) => {
    const { code, stderr } = await given(content, '--format', format, 'blog', '-');
    expect(code).toBe(1);
    expect(stderr).not.toContain('secret-1');
    expect((await bench.run('config:keys', 'blog')).stdout).toBe('');
  });

  it('reads no file of the server for who is not at its shell', async () => {
    const actor = { name: 'ann', via: 'ssh' } as const;
    const { code, stderr } = await bench.runWith({
      words: ['config:import', 'blog', '/etc/hostname'],
      actor,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/on standard input/);
  });
});

describe('config:bundle', () => {
  it('is an archive that tar unpacks to a file a variable, byte for byte', async () => {
    await bench.run('config:set', 'blog', `STRANGE=${strange}`, 'EMPTY=', `${'L'.repeat(200)}=é`);
    await bench.run('config:set', '--global', 'TZ=UTC');
    const dir = await mkdtemp(join(tmpdir(), 'wherry-bundle-'));
    try {
      await writeFile(join(dir, 'a.tar'), (await bench.run('config:bundle', '--merged', 'blog')).stdout);
      await exec('tar', ['-xf', 'a.tar'], { cwd: dir });
      await rm(join(dir, 'a.tar'));
      const files = await readdir(dir);
      const found = Object.fromEntries(files.map(name => [name, readFileSync(join(dir, name), 'utf8')]));
      expect(found).toEqual({ STRANGE: strange, EMPTY: '', ['L'.repeat(200)]: 'é', TZ: 'UTC' });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
