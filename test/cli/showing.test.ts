import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lookOf } from '../../src/cli/look.ts';
import { createPainter } from '../../src/cli/paint.ts';
import { createShowing } from '../../src/cli/showing.ts';
import { createTicker } from '../../src/cli/ticker.ts';

const on = { stdout: { isTTY: true }, stderr: { isTTY: true } };
const off = { stdout: {}, stderr: { isTTY: true } };

describe('the look', () => {
  it.each([
    [{}, on, { color: true, ticker: true }],
    [{}, off, { color: false, ticker: false }],
    [{ NO_COLOR: '1' }, on, { color: false, ticker: true }],
    [{ NO_COLOR: '' }, on, { color: true, ticker: true }],
    [{ FORCE_COLOR: '1' }, off, { color: true, ticker: false }],
    [{ FORCE_COLOR: '0' }, on, { color: false, ticker: true }],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, off, { color: true, ticker: false }],
    [{ TERM: 'dumb' }, on, { color: false, ticker: false }],
  ])('with %j is %j', (env, ends, look) => {
    expect(lookOf(env, ends)).toEqual(look);
  });
});

describe('the painter', () => {
  const painted = (...pieces: (string | Buffer)[]) => {
    const paint = createPainter();
    return Buffer.concat(pieces.map(piece => paint(Buffer.from(piece as string)))).toString('latin1');
  };

  it('paints headings, steps and complaints, and nothing else', () => {
    expect(painted('=====> Apps\nblog\n-----> Go\n !     No\n')).toBe(
      '\x1b[1m=====> Apps\x1b[0m\nblog\n\x1b[1m-----> Go\x1b[0m\n\x1b[31m !     No\x1b[0m\n',
    );
    for (const text of ['-----BEGIN KEY-----\n', 'a -----> b\n', '', '\n']) expect(painted(text)).toBe(text);
  });

  it('takes no rest of a line for its beginning, and keeps every byte', () => {
    expect(painted('x', '-----> y\n', '-----> z\n')).toBe('x-----> y\n\x1b[1m-----> z\x1b[0m\n');
    const bytes = Buffer.from([0xc3, 0x00, 0xff, 0x0a, 0xa9]);
    expect(painted(bytes)).toBe(bytes.toString('latin1'));
  });
});

describe('the ticker', () => {
  let now = 0;
  let drawn: string[] = [];
  let ticker: ReturnType<typeof createTicker>;
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 250) {
      now += 250;
      vi.advanceTimersByTime(250);
    }
  };
  const seen = (text: string) => ticker.seen(Buffer.from(text));
  beforeEach(() => {
    vi.useFakeTimers();
    [now, drawn] = [0, []];
    ticker = createTicker(
      text => drawn.push(text),
      () => now,
    );
  });
  afterEach(() => {
    ticker.stop();
    vi.useRealTimers();
  });

  it('turns while a step says nothing, with the time, and is taken back', () => {
    seen('-----> Building\n');
    pass(750);
    expect(drawn).toEqual([]);
    pass(500);
    expect(drawn).toEqual(['\r\x1b[K| 1 s', '\r\x1b[K/ 1 s']);
    seen('       done\n');
    expect(drawn.at(-1)).toBe('\r\x1b[K');
    pass(65_000);
    expect(drawn.at(-1)).toMatch(/ 1 m 5 s$/);
    ticker.stop();
    expect(drawn.at(-1)).toBe('\r\x1b[K');
    const count = drawn.length;
    pass(5_000);
    expect(drawn).toHaveLength(count);
  });

  it('stays away where there is no step, and behind a question', () => {
    seen('a line of a log\n');
    pass(10_000);
    seen('-----> Asking\n');
    seen('> ');
    pass(10_000);
    expect(drawn).toEqual([]);
  });
});

describe('dressed output', () => {
  const text = (stream: PassThrough) => String(stream.read() ?? '');

  it('is all out at the end', async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const showing = createShowing({ stdout, stderr }, { color: true, ticker: true });
    showing.stdout.write('-----> Go\n');
    showing.stderr.write(' !     No\n');
    await showing.end();
    expect(text(stdout)).toBe('\x1b[1m-----> Go\x1b[0m\n');
    expect(text(stderr)).toBe('\x1b[31m !     No\x1b[0m\n');
  });

  it('ends also when its reader has left', async () => {
    const stdout = new PassThrough().on('error', () => {});
    const showing = createShowing({ stdout, stderr: new PassThrough() }, { color: true, ticker: false });
    showing.stdout.write('one\n');
    stdout.destroy(new Error('EPIPE'));
    showing.stdout.write('x'.repeat(100_000));
    await showing.end();
  });
});
