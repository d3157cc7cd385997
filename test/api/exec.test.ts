import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, begin, startApi } from './support.ts';

let started: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  started = await startApi();
});
afterEach(() => started.close());

const framesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);
const exec = async (body: string) =>
  framesOf((await ask(started.socket, { method: 'POST', path: '/v1/exec', body })).text);

describe('POST /v1/exec', () => {
  it('gives output frames and the exit status last', async () => {
    const frames = await exec(JSON.stringify({ words: ['apps:list'] }));
    expect(frames).toEqual([{ stderr: " !     You haven't deployed any applications yet\n" }, { exit: 0 }]);
  });

  it('takes standard input after the first line, and asks for it only when it is read', async () => {
    await started.bench.run('apps:create', 'blog');
    const frames = await exec(`${JSON.stringify({ words: ['apps:destroy', 'blog'] })}\nblog\n`);
    expect(frames).toContainEqual({ stdin: true });
    expect(frames.at(-1)).toEqual({ exit: 0 });
    const other = await exec(`${JSON.stringify({ words: ['apps:list'] })}\nunread\n`);
    expect(other).not.toContainEqual({ stdin: true });
  });

  it('takes standard input that comes in pieces and later', async () => {
    await started.bench.run('apps:create', 'blog');
    const request = begin(started.socket, { method: 'POST', path: '/v1/exec' });
    const seen: string[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      request.on('error', reject).on('response', response => {
        response.on('data', chunk => {
          seen.push(String(chunk));
          if (String(chunk).includes('"stdin"')) {
            request.write('bl');
            setTimeout(() => request.write('og\n'), 20);
          }
        });
        response.on('end', resolve);
      });
    });
    const line = `${JSON.stringify({ words: ['apps:destroy', 'blog'] })}\n`;
    request.write(line.slice(0, 10));
    setTimeout(() => request.write(line.slice(10)), 10);
    await ended;
    expect(framesOf(seen.join('')).at(-1)).toEqual({ exit: 0 });
    expect(started.bench.store.apps.list()).toEqual([]);
    request.destroy();
  });

  it.each([['{'], ['[]'], ['{}'], ['{"words":"apps:list"}'], ['{"words":[1]}']])('refuses %s', async body => {
    const { status, text } = await ask(started.socket, { method: 'POST', path: '/v1/exec', body });
    expect(status).toBe(400);
    expect(JSON.parse(text).detail).toMatch(/\.$|JSON/);
  });

  it('refuses a first line without end', async () => {
    const body = `{"words":["${'x'.repeat(5 * 2 ** 20)}"]}`;
    const answered = ask(started.socket, { method: 'POST', path: '/v1/exec', body });
    expect((await answered.catch(() => ({ status: 400 }))).status).toBe(400);
  });

  it('aborts the command when the client goes', async () => {
    await started.bench.deployed('blog');
    let aborted: (() => void) | undefined;
    const gone = new Promise<void>(resolve => {
      aborted = resolve;
    });
    const request = begin(started.socket, { method: 'POST', path: '/v1/exec' });
    request.on('error', () => {});
    started.bench.runtime.logs = async function* (_app, query) {
      query.signal?.addEventListener('abort', () => aborted?.());
      yield { at: new Date(0), dyno: 'web.1', stream: 'stdout', text: 'first' };
      await gone;
    };
    request.on('response', response => response.once('data', () => request.destroy()));
    request.write(`${JSON.stringify({ words: ['logs', 'blog', '-t'] })}\n`);
    await gone;
    expect(aborted).toBeDefined();
  });

  it('holds the command back while the client does not read', async () => {
    await started.bench.deployed('blog');
    let made = 0;
    started.bench.runtime.logs = async function* (_app, query) {
      while (!query.signal?.aborted && made < 100_000) {
        made += 1;
        yield { at: new Date(0), dyno: 'web.1', stream: 'stdout', text: 'x'.repeat(1000) };
      }
    };
    const request = begin(started.socket, { method: 'POST', path: '/v1/exec' });
    request.on('error', () => {});
    request.on('response', response => response.pause());
    request.write(`${JSON.stringify({ words: ['logs', 'blog', '-t'] })}\n`);
    let before = -1;
    while (made === 0 || made !== before) {
      before = made;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    expect(made).toBeLessThan(20_000);
    request.destroy();
  });

  it('gives bytes that are no text as base64', async () => {
    await started.bench.deployed('blog');
    started.bench.runtime.run = async (_desired, { streams }) => {
      streams.stdout.write(Buffer.from([0xff, 0x00]));
      streams.stderr.write('é');
      return 0;
    };
    const frames = await exec(JSON.stringify({ words: ['run', 'blog', 'cat'] }));
    expect(frames).toContainEqual({ stdout: '/wA=', base64: true });
    expect(frames).toContainEqual({ stderr: 'é' });
  });

  it.each([['"xterm"'], ['7'], ['null']])('refuses %s as a terminal', async terminal => {
    const body = `{"words":["apps:list"],"terminal":${terminal}}`;
    expect((await ask(started.socket, { method: 'POST', path: '/v1/exec', body })).status).toBe(400);
  });

  it('makes a terminal of any size one that can be, and ends with a client whose lines are none', async () => {
    await started.bench.deployed('blog');
    let seen = '';
    let end = '';
    started.bench.runtime.run = async (_desired, { streams: { stdin, terminal } }) => {
      seen = `${terminal?.term} ${terminal?.size.rows} ${terminal?.size.columns}`;
      const text = async () => {
        for await (const bytes of stdin) seen += ` ${bytes}`;
      };
      await text().catch(error => {
        end = String(error);
      });
      return 0;
    };
    const terminal = { term: 'a\nb', rows: -4, columns: 1e9 };
    const frames = [{ words: ['run', 'blog', 'sh'], terminal }, { input: 'aGk=' }];
    const body = `${frames.map(frame => JSON.stringify(frame)).join('\n')}\n{{{\n`;
    await ask(started.socket, { method: 'POST', path: '/v1/exec', body }).catch(() => {});
    await expect.poll(() => end).toMatch(/JSON|nests|abort|closed/i);
    expect(seen).toMatch(/^xterm 1 10000/);
  });
});
