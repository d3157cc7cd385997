import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { until } from '../support/until.ts';
import { type Bench, createBench, into } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
  await bench.run('apps:create', 'shop');
});

describe('events', () => {
  it('are lines of one app or all, and a JSON object a line', async () => {
    expect((await bench.run('events')).stdout).toMatch(
      /^\S+Z blog create: Created \(local\)\n\S+Z shop create: .*\n$/,
    );
    expect((await bench.run('events', 'shop')).stdout).toMatch(/^\S+Z shop [^\n]*\n$/);
    const [first] = (await bench.run('events', '-n', '1', '--format', 'json')).stdout.split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({ app: 'shop', kind: 'create', actor: 'local' });
    expect((await bench.run('events', 'nobody')).code).toBe(20);
  });

  it('go on with new ones of the app with -t, until the client leaves', async () => {
    const client = new AbortController();
    const out: string[] = [];
    const going = bench.dispatch({
      words: ['events', 'blog', '-t', '-n', '0'],
      actor: { name: 'local', via: 'local' },
      stdin: Readable.from([]),
      stdout: into(out),
      stderr: into([]),
      signal: client.signal,
    });
    const message = 'v1 is live';
    await until('the event', () => {
      // Those from before it looks do not count.
      for (const name of ['shop', 'blog'])
        bench.store.events.add({ at: new Date(0), app: parseAppName(name), kind: 'deploy', message });
      return out.length > 0;
    });
    client.abort();
    expect(await going).toBe(130);
    expect(new Set(out)).toEqual(new Set(['1970-01-01T00:00:00.000Z blog deploy: v1 is live\n']));
  });
});

describe('events:list, events:on and events:off', () => {
  it('tell of what there is, and that it is always kept', async () => {
    expect((await bench.run('events:list')).stdout).toMatch(/^create {2}2 {2}\S+Z\n$/);
    expect((await bench.run('events:on')).code).toBe(0);
    const { code, stderr } = await bench.run('events:off');
    expect(code).toBe(1);
    expect(stderr).toMatch(/always kept/);
  });
});
