import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frontEnds, openFrontEnds, type Wish } from './front-ends.ts';

let ends: Awaited<ReturnType<typeof openFrontEnds>>;
beforeAll(async () => {
  ends = await openFrontEnds();
  await ends.bench.deployed('blog');
});
beforeEach(() => void ends.bench.store.config.replace(blog(), new Map()));
afterAll(() => ends.close());

const blog = () => ends.bench.store.apps.get('blog' as never);
/** What is stored, and what the instances that were started last were given. */
const kept = () => ends.bench.store.config.own(blog());
const given = () => ends.bench.runtime.told.at(-1)?.desired.config;

const set = (pairs: Record<string, string>): Wish => ({
  words: ['config:set', 'blog', ...Object.entries(pairs).map(([key, value]) => `${key}=${value}`)],
  body: { app: 'blog', pairs },
});
const setEncoded = (key: string, bytes: Buffer): Wish => ({
  words: ['config:set', '--encoded', 'blog', `${key}=${bytes.toString('base64')}`],
  body: { app: 'blog', encoded: true, pairs: { [key]: bytes.toString('base64') } },
});
const imported = (stdin: string | Buffer, format = 'json'): Wish => ({
  words: ['config:import', '--format', format, 'blog', '-'],
  body: { app: 'blog', file: '-', format },
  stdin,
});

const pem = `-----BEGIN CERTIFICATE-----\n${'MIIB+/=\n'.repeat(20)}-----END CERTIFICATE-----\n`;
const values: readonly [what: string, value: string][] = [
  ['quotes of all kinds', `'"\`\u2019 ''"" \\' \\"`],
  ['what a shell expands', '$HOME ${HOME} $(id) `id` ~ * {a,b} !! ; & | > < #'],
  ['backslashes', '\\ \\\\ \\n \\'],
  ['line ends of all kinds', 'a\nb\r\nc\rd\n\n'],
  ['blanks around and within', '  a  b\t '],
  ['blanks that only Unicode knows', '\u00a0a\u3000b\u2028c\u2029\ufeff'],
  ['JSON', '{"a":[1,"b",null],"c":"\\u00e9\\n"}'],
  ['a PEM file', pem],
  ['a PEM file of Windows', pem.replaceAll('\n', '\r\n')],
  ['an URL with a password', 'postgres://ann:p%40ss=&w@db.example.org:5432/x?a=b&c=d#e'],
  ['equal signs', '=a==b='],
  ['a flag', '--force'],
  ['nothing', ''],
  ['control characters', '\x01\x07\x1b[2J\x7f'],
  ['all of Unicode', '\u00e9 e\u0301 \u202e \u{1f6a2} \u{10ffff}'],
  ['what looks like a marker of the platform', '-----> x\n !     y'],
];

describe.each(frontEnds)('a value by %s', end => {
  it.each(values)('(42) with %s arrives byte for byte', async (_what, value) => {
    expect(await ends.do(end, set({ KEY: value }))).toMatchObject({ exit: 0 });
    expect(kept()).toEqual({ KEY: value });
    expect(given()).toEqual({ KEY: value });
    const read = await ends.do(end, {
      words: ['config:get', 'blog', 'KEY'],
      body: { app: 'blog', key: 'KEY' },
    });
    expect(read).toEqual({ exit: 0, said: value });
  });

  it.each(values)('(42) with %s arrives so as base64 and by standard input too', async (_what, value) => {
    expect(await ends.do(end, setEncoded('KEY', Buffer.from(value)))).toMatchObject({ exit: 0 });
    expect(given()).toEqual({ KEY: value });
    expect(await ends.do(end, imported(JSON.stringify({ OTHER: value })))).toMatchObject({ exit: 0 });
    expect(given()).toEqual({ KEY: value, OTHER: value });
    const words = ['config:export', '--format', 'envfile', 'blog'];
    const { said: file } = await ends.do('argv', { words, body: {} });
    expect(await ends.do(end, imported(file, 'envfile'))).toMatchObject({ exit: 0 });
    expect(given()).toEqual({ KEY: value, OTHER: value });
  });

  it('(42) of as many bytes as a variable can have arrives by standard input', async () => {
    const value = `${'\u00e9x'.repeat(43_520)}`;
    expect(Buffer.byteLength(value)).toBe(130_560);
    expect(await ends.do(end, imported(JSON.stringify({ KEY: value })))).toMatchObject({ exit: 0 });
    expect(given()).toEqual({ KEY: value });
  });

  it.each([
    ['standard input', () => imported(JSON.stringify({ A: '1', KEY: 'x'.repeat(900_000) }))],
    ['standard input as an env file', () => imported(`A=1\nKEY='${'x'.repeat(900_000)}'\n`, 'envfile')],
  ])('(42) of nearly a megabyte by %s is refused, for no variable can be so long', async (_by, wish) => {
    const { exit, said } = await ends.do(end, wish());
    expect([exit, said]).toEqual([1, expect.stringMatching(/^The value of KEY is longer than 130560 bytes/)]);
    expect(kept()).toEqual({});
  });

  it('(42) of many megabytes is refused before it is all read', async () => {
    const { exit, said } = await ends.do(end, imported(JSON.stringify({ A: 'x'.repeat(5 * 2 ** 20) })));
    expect([exit, said]).toEqual([1, expect.stringMatching(/than \d+ bytes/)]);
    expect(kept()).toEqual({});
  });

  it.each([
    ['Latin-1', Buffer.from([0x63, 0x61, 0x66, 0xe9])],
    ['half a character', Buffer.from('\u{1f6a2}').subarray(0, 3)],
    ['an overlong slash', Buffer.from([0xc0, 0xaf])],
    ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
  ])('(42) as base64 of %s is refused', async (_what, bytes) => {
    const { exit, said } = await ends.do(end, setEncoded('KEY', bytes));
    expect([exit, said]).toEqual([1, 'The value of KEY is not base64 of UTF-8 text.']);
    expect(kept()).toEqual({});
  });

  it('(42) with a NUL is refused, whole lines too', async () => {
    for (const wish of [set({ A: '1', KEY: 'a\0b' }), imported('{"A":"1","KEY":"a\\u0000b"}')]) {
      const { exit, said } = await ends.do(end, wish);
      expect([exit, said]).toEqual([1, expect.stringContaining('NUL')]);
      expect(kept()).toEqual({});
    }
  });

  it.each(['lower', 'MiXed_1', '_', '__proto__', 'constructor', 'LD_PRELOAD', 'PATH', 'NODE_OPTIONS', 'IFS'])(
    '(41) of key %s is the app’s own matter, and kept',
    async key => {
      expect(await ends.do(end, set({ [key]: 'x' }))).toMatchObject({ exit: 0 });
      expect(Object.entries(kept())).toEqual([[key, 'x']]);
      expect(Object.entries(given() ?? {})).toEqual([[key, 'x']]);
    },
  );

  it.each(['1A', 'A-B', 'A B', 'A.B', 'A\nB', 'A\u0301', '', 'A'.repeat(256)])(
    '(41) of key %j is refused, and no other of the line is kept',
    async key => {
      expect((await ends.do(end, set({ GOOD: '1', [key]: 'x' }))).exit).toBe(1);
      expect(kept()).toEqual({});
    },
  );
});

describe('bytes that are no UTF-8', () => {
  const latin = Buffer.from('KEY=caf\u00e9', 'latin1');

  it('(42) in a line of SSH are refused, not kept as others', async () => {
    const { exit, said } = await ends.overLine(`config:set blog '${latin.toString('utf8')}'`);
    expect([exit, said]).toEqual([1, expect.stringContaining('not UTF-8')]);
    expect(kept()).toEqual({});
  });

  it('(42) in the client’s arguments are refused', async () => {
    const wish: Wish = { words: ['config:set', 'blog', latin.toString('utf8')], body: {} };
    await expect(ends.do('argv', wish)).rejects.toThrow(/not UTF-8/);
    expect(kept()).toEqual({});
  });

  it('(42) on standard input are refused', async () => {
    for (const end of ['ssh', 'argv'] as const) {
      const { exit, said } = await ends.do(end, imported(latin, 'envfile'));
      expect([exit, said]).toEqual([1, expect.stringContaining('not UTF-8')]);
    }
    expect(kept()).toEqual({});
  });

  it('(42) may be asked for by the character that stands for them, in base64', async () => {
    expect(await ends.do('ssh', setEncoded('KEY', Buffer.from('\ufffd')))).toMatchObject({ exit: 0 });
    expect(given()).toEqual({ KEY: '\ufffd' });
  });
});
