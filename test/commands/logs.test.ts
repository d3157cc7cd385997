import { beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import type { LogQuery } from '../../src/runtime/runtime.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
  bench.runtime.says.lines = ['one', 'two', 'three'].map((text, at) => ({
    at: new Date(at * 1000),
    dyno: at === 1 ? 'worker.1' : 'web.1',
    stream: 'stdout' as const,
    text,
  }));
});

describe('logs', () => {
  it('have time, instance and text', async () => {
    expect((await bench.run('logs', 'blog')).stdout).toBe(
      '1970-01-01T00:00:00.000Z app[web.1]: one\n1970-01-01T00:00:01.000Z app[worker.1]: two\n1970-01-01T00:00:02.000Z app[web.1]: three\n',
    );
  });

  it('are the text alone with -q, the last lines with -n, one process with -p', async () => {
    expect((await bench.run('logs', 'blog', '-q')).stdout).toBe('one\ntwo\nthree\n');
    expect((await bench.run('logs', 'blog', '-q', '-n', '1')).stdout).toBe('three\n');
    expect((await bench.run('logs', 'blog', '-q', '-p', 'worker')).stdout).toBe('two\n');
    expect((await bench.run('logs', 'blog', '-n', '0')).stdout).toBe('');
  });

  it('are a JSON object a line', async () => {
    const { stdout } = await bench.run('logs', 'blog', '--format', 'json');
    expect(
      stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))[1],
    ).toEqual({
      at: '1970-01-01T00:00:01.000Z',
      dyno: 'worker.1',
      stream: 'stdout',
      text: 'two',
    });
  });

  it('of an app that was never pushed fail as dokku’s do', async () => {
    await bench.run('apps:create', 'fresh');
    expect(await bench.run('logs', 'fresh')).toEqual({
      code: 1,
      stdout: '',
      stderr: ' !     App fresh has not been deployed\n',
    });
  });

  it('with -t go on until the client leaves', async () => {
    const client = new AbortController();
    const following = bench.runWith({ words: ['logs', 'blog', '-t', '-q'], signal: client.signal });
    setTimeout(() => client.abort(), 20);
    expect(await following).toEqual({ code: 130, stdout: 'one\ntwo\nthree\n', stderr: '' });
  });
});

describe('what an app prints', () => {
  const says = (...texts: string[]) => {
    bench.runtime.says.lines = texts.map((text, at) => ({
      ...{ at: new Date(at * 1000), dyno: 'run.1', stream: 'stdout' as const, text },
    }));
  };
  const evil = '\x1b]52;c;ZXZpbA==\x07\x1b[31mred\x1b[0m\x1b[2J\x9b2J\r-----> x';

  it.each([
    ['logs', 'blog'],
    ['logs', 'blog', '-q'],
    ['run:logs', 'blog'],
    ['logs', 'blog', '--format', 'json'],
  ])('moves nobody’s terminal: %s %s %s', async (...words) => {
    says(evil);
    const { stdout } = await bench.run(...words);
    expect(stdout).toContain('red^M-----> x');
    expect(stdout).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f]/);
  });

  it('keeps its colours, and no more, where logs:set says so', async () => {
    says(evil);
    await bench.run('logs:set', 'blog', 'colors', 'true');
    expect((await bench.run('logs', 'blog', '-q')).stdout).toBe('\x1b[31mred\x1b[0m^M-----> x\x1b[0m\n');
    await bench.run('logs:set', 'blog', 'colors');
    await bench.run('logs:set', '--global', 'colors', 'true');
    expect((await bench.run('logs', 'blog', '-q')).stdout).toContain('\x1b[31m');
  });

  it('shows values of config, of now and of releases before, unless logs:set hides them', async () => {
    await bench.run('config:set', 'blog', 'KEY=first-secret', 'MODE=production', 'N=12345');
    await bench.run('config:set', 'blog', 'KEY=second-secret');
    const line = 'first-secret second-secret production 12345';
    says(line, 'sec\x1b[0mond-secret');
    expect((await bench.run('logs', 'blog', '-q')).stdout).toBe(`${line}\nsecond-secret\n`);
    await bench.run('logs:set', 'blog', 'redact', 'true');
    const hidden = '[masked] [masked] production 12345\n[masked]\n';
    expect((await bench.run('logs', 'blog', '-q')).stdout).toBe(hidden);
    expect((await bench.run('logs', 'blog', '--format', 'json')).stdout).not.toContain('secret');
    await bench.run('config:set', '--secret', 'blog', 'N=12345');
    expect((await bench.run('logs', 'blog', '-q')).stdout).toContain('production [masked]\n');
  });

  it.each([
    ['colors', 'yes'],
    ['redact', '1'],
    ['color', 'true'],
  ])('is not set by %s %s', async (...words) => {
    expect((await bench.run('logs:set', 'blog', ...words)).code).toBeGreaterThan(0);
  });
});

describe('logs --since and --grep', () => {
  const asked = async (...words: string[]) => {
    const queries: LogQuery[] = [];
    const { logs } = bench.runtime;
    bench.runtime.logs = (app, query) => {
      queries.push(query);
      return logs(app, query);
    };
    const { code, stderr } = await bench.run('logs', 'blog', ...words);
    return { code, stderr, query: queries[0] };
  };

  it('ask for all from then on, with that text', async () => {
    const before = Date.now() - 900_000;
    const { query } = await asked('--since', '15m', '--grep', '$(x) é');
    expect(query).toMatchObject({ lines: 100_000, contains: '$(x) é' });
    expect(Math.abs((query?.since?.getTime() ?? 0) - before)).toBeLessThan(60_000);
    expect((await asked('--since', '2026-01-31T12:00:00Z', '-n', '5')).query).toMatchObject({
      lines: 5,
      since: new Date('2026-01-31T12:00:00Z'),
    });
    expect((await asked()).query).toEqual({
      ...{ lines: 100, follow: false, signal: expect.anything(), show: expect.any(Function) },
    });
  });

  it.each(['yesterday', '', '12:00', '-5m', '2026-99-99'])('refuse the time %j', async time => {
    expect(await asked('--since', time)).toMatchObject({ code: 1, stderr: expect.stringContaining('15m') });
  });
});

describe('logs:failed', () => {
  const fail = async () => {
    bench.runtime.says.fault = new WherryError('check-failed', 'It did not listen.');
    await bench.run('config:set', 'blog', 'A=1');
    bench.runtime.says.fault = undefined;
  };

  it('shows what instances of the last failed release printed', async () => {
    await fail();
    bench.runtime.logs = async function* (app, { version }) {
      yield { at: new Date(0), dyno: 'web.1', stream: 'stderr', text: `${app.name} v${version}` };
    };
    expect((await bench.run('logs:failed', 'blog')).stdout).toBe(
      '1970-01-01T00:00:00.000Z blog[web.1]: blog v2\n',
    );
    expect((await bench.run('logs:failed', '--all', '-q')).stdout).toBe('blog v2\n');
  });

  it('says so when none failed, and needs an app or --all', async () => {
    expect(await bench.run('logs:failed', 'blog')).toEqual({
      code: 0,
      stdout: '-----> No deploy of blog has failed\n',
      stderr: '',
    });
    expect((await bench.run('logs:failed')).code).toBe(2);
    expect((await bench.run('logs:failed', 'blog', '--all')).code).toBe(2);
    expect((await bench.run('logs:failed', 'nobody')).code).toBe(20);
  });
});

describe('logs:set max-size', () => {
  it('is reported, and asked for when an instance is made', async () => {
    await bench.run('logs:set', '--global', 'max-size', '1m');
    await bench.run('ps:restart', 'blog');
    const upkeep = bench.runtime.told.at(-1)?.desired.upkeep;
    expect(upkeep?.().logSize).toBe(2 ** 20);
    expect((await bench.run('logs:set', 'blog', 'max-size', '512k')).stdout).toBe(
      '=====> Setting max-size to 512k\n',
    );
    expect(upkeep?.().logSize).toBe(512 * 2 ** 10);
    expect(JSON.parse((await bench.run('logs:report', 'blog', '--format', 'json')).stdout)).toMatchObject({
      'max-size': '512k',
      'global-max-size': '1m',
      'computed-max-size': '512k',
    });
  });

  it.each(['1k', '2g', '10', 'all', '1.5m'])('refuses %s', async size => {
    expect((await bench.run('logs:set', 'blog', 'max-size', size)).code).toBe(1);
  });
});
