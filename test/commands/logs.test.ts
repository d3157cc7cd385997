import { beforeEach, describe, expect, it } from 'vitest';
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
