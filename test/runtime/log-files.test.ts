import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLogFiles } from '../../src/runtime/log-files.ts';
import type { LogLine, LogQuery } from '../../src/runtime/runtime.ts';
import { systemClock as clock } from '../../src/system/clock.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-logs-'));
  mkdirSync(join(dir, 'blog'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const write = (name: string, lines: string) => appendFileSync(join(dir, 'blog', name), lines);
const read = async (query: Omit<LogQuery, 'follow'>) => {
  const found: string[] = [];
  for await (const line of createLogFiles({ dir, clock }).read('blog', { ...query, follow: false }))
    found.push(`${line.dyno} ${line.text}`);
  return found;
};

it('merges instances and the platform by time', async () => {
  write(
    'blog.web.1.v1-aaaaaa.log',
    '2026-01-01T00:00:01Z stdout F one\n2026-01-01T00:00:03Z stderr F three\n',
  );
  write('blog.worker.1.v1-bbbbbb.log', '2026-01-01T00:00:02Z stdout F two\n');
  write('wherry.log', '2026-01-01T00:00:04Z stdout F four\n');
  expect(await read({ lines: 10 })).toEqual(['web.1 one', 'worker.1 two', 'web.1 three', 'wherry four']);
  expect(await read({ lines: 1 })).toEqual(['wherry four']);
  expect(await read({ lines: 10, type: 'web' })).toEqual(['web.1 one', 'web.1 three']);
});

it.each([
  ['my_worker', 'my-worker'],
  ['Web', 'web'],
  ['api.v2', 'api.v2'],
  ['a-type-of-more-than-twenty-letters', 'a-type-of-more-than'],
])('finds the lines of process type %s by its name and by that of its instance', async (type, inFile) => {
  write(`blog.${inFile}.1.v1-aaaaaa.log`, '2026-01-01T00:00:01Z stdout F one\n');
  write(`blog.${inFile}.12.v1-aaaaaa.log`, '2026-01-01T00:00:02Z stdout F twelve\n');
  write('blog.api.1.v1-bbbbbb.log', '2026-01-01T00:00:03Z stdout F other\n');
  expect(await read({ lines: 10, type })).toEqual([`${inFile}.1 one`, `${inFile}.12 twelve`]);
  expect(await read({ lines: 10, type: `${type}.1` })).toEqual([`${inFile}.1 one`]);
  expect(await read({ lines: 10, type: 'api' })).toEqual(['api.1 other']);
});

it('knows the type in files of before an app was renamed', async () => {
  write('old.web.1.v1-aaaaaa.log', '2026-01-01T00:00:01Z stdout F one\n');
  expect(await read({ lines: 10, type: 'web' })).toEqual(['web.1 one']);
});

it('joins partial lines and keeps UTF-8 across them', async () => {
  const bytes = Buffer.from('h\u00e9llo', 'utf8');
  writeFileSync(
    join(dir, 'blog', 'blog.web.1.v1-aaaaaa.log'),
    Buffer.concat([
      Buffer.from('2026-01-01T00:00:01Z stdout P '),
      bytes.subarray(0, 2),
      Buffer.from('\n2026-01-01T00:00:01Z stdout F '),
      bytes.subarray(2),
      Buffer.from('\n'),
    ]),
  );
  expect(await read({ lines: 10 })).toEqual(['web.1 h\u00e9llo']);
});

it('keeps lines with carriage returns, of progress bars and of Windows', async () => {
  write(
    'blog.web.1.v1-aaaaaa.log',
    '2026-01-01T00:00:01Z stdout F 10%\r20%\r100%\n2026-01-01T00:00:02Z stdout F a line of Windows\r\n',
  );
  expect(await read({ lines: 10 })).toEqual(['web.1 10%\r20%\r100%', 'web.1 a line of Windows']);
});

it('joins parts by their stream, and passes over what a crash left', async () => {
  write(
    'blog.web.1.v1-aaaaaa.log',
    '\0\0\0\0 stdout F x\nnever stdout F y\n2026-01-01T00:00:01Z stdout P one \n2026-01-01T00:00:02Z stderr F two\n2026-01-01T00:00:03Z stdout F half\n',
  );
  expect(await read({ lines: 10 })).toEqual(['web.1 one half', 'web.1 two']);
});

it('looks for text, never for a pattern that could take forever', async () => {
  write(
    'blog.web.1.v1-aaaaaa.log',
    `2026-01-01T00:00:01Z stdout F ${'a'.repeat(50_000)}!\n2026-01-01T00:00:02Z stdout F the (a+)+$ of it\n`,
  );
  expect(await read({ lines: 10, contains: '(a+)+$' })).toEqual(['web.1 the (a+)+$ of it']);
});

it('shows a line without end in several', async () => {
  write('blog.web.1.v1-aaaaaa.log', `2026-01-01T00:00:01Z stdout P ${'x'.repeat(8192)}\n`.repeat(100));
  const found = await read({ lines: 10 });
  expect(found.map(line => line.length)).toEqual(Array(3).fill('web.1 '.length + 2 ** 18));
});

it('reads the end of a long log', async () => {
  write(
    'blog.web.1.v1-aaaaaa.log',
    Array.from({ length: 20_000 }, (_, at) => `2026-01-01T00:00:01Z stdout F line ${at}\n`).join(''),
  );
  expect(await read({ lines: 2 })).toEqual(['web.1 line 19998', 'web.1 line 19999']);
});

it('follows new lines and new instances until told to stop', async () => {
  const stop = new AbortController();
  write('blog.web.1.v1-aaaaaa.log', '2026-01-01T00:00:01Z stdout F old\n');
  const lines: LogLine[] = [];
  for await (const line of createLogFiles({ dir, clock }).read('blog', {
    lines: 10,
    follow: true,
    signal: stop.signal,
  })) {
    lines.push(line);
    if (lines.length === 1) write('blog.web.1.v1-aaaaaa.log', '2026-01-01T00:00:02Z stdout F half');
    if (lines.length === 1) write('blog.web.2.v1-cccccc.log', '2026-01-01T00:00:03Z stdout F other\n');
    if (lines.length === 2) write('blog.web.1.v1-aaaaaa.log', ' whole\n');
    if (lines.length === 3) stop.abort();
  }
  expect(lines.map(line => line.text)).toEqual(['old', 'other', 'half whole']);
});

it('joins a line whose parts it reads apart when it follows', async () => {
  write('blog.web.1.v1-aaaaaa.log', '2026-01-01T00:00:01Z stdout P one \n');
  const leave = new AbortController();
  const pauses: (() => void)[] = [
    () => write('blog.web.1.v1-aaaaaa.log', '2026-01-01T00:00:02Z stdout P and \n'),
    () => write('blog.web.1.v1-aaaaaa.log', '2026-01-01T00:00:03Z stdout F two\n'),
  ];
  const stepped = { ...clock, sleep: async () => (pauses.shift() ?? (() => leave.abort()))() };
  const found: LogLine[] = [];
  const query = { lines: 10, follow: true, signal: leave.signal };
  for await (const line of createLogFiles({ dir, clock: stepped }).read('blog', query)) found.push(line);
  expect(found.map(({ text }) => text)).toEqual(['one and two']);
});

it('repeats and loses nothing when it follows lines that are not ASCII', async () => {
  const stop = new AbortController();
  write('blog.web.1.v1-aaaaaa.log', '2026-01-01T00:00:01Z stdout F \u00e9\u00e9\u00e9\u00e9\n');
  const texts: string[] = [];
  const query = { lines: 10, follow: true, signal: stop.signal };
  for await (const { text } of createLogFiles({ dir, clock }).read('blog', query)) {
    texts.push(text);
    if (texts.length < 4)
      write('blog.web.1.v1-aaaaaa.log', `2026-01-01T00:00:02Z stdout F \u{1f6a3} ${texts.length}\n`);
    else stop.abort();
  }
  expect(texts).toEqual(['\u00e9\u00e9\u00e9\u00e9', '\u{1f6a3} 1', '\u{1f6a3} 2', '\u{1f6a3} 3']);
});

it('keeps a bounded number of files of ended instances', async () => {
  for (let at = 0; at < 30; at++) write(`blog.web.1.v${at}-aaaaaa.log`, 'x\n');
  const living = join(dir, 'blog', 'blog.web.1.v0-aaaaaa.log');
  await createLogFiles({ dir, clock }).prune('blog', new Set([living]));
  expect(readdirSync(join(dir, 'blog'))).toHaveLength(21);
  expect(readdirSync(join(dir, 'blog'))).toContain('blog.web.1.v0-aaaaaa.log');
});

it('finds lines by text, time and release, also where many others are after them', async () => {
  const stamp = (at: number) => new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString();
  const lines = Array.from(
    { length: 20_000 },
    (_, at) => `${stamp(at)} stdout F line ${at} ${'x'.repeat(30)}\n`,
  );
  write('blog.web.1.v1-aaaaaa.log', `${stamp(-1)} stderr F early ERROR (1)\n${lines.join('')}`);
  write('blog.web.1.v2-bbbbbb.log', `${stamp(20_000)} stdout F of v2 ERROR (2)\n`);
  expect(await read({ lines: 5, contains: 'ERROR (' })).toEqual([
    'web.1 early ERROR (1)',
    'web.1 of v2 ERROR (2)',
  ]);
  expect(await read({ lines: 5, contains: '.*' })).toEqual([]);
  const late = await read({ lines: 100_000, since: new Date(stamp(19_998)) });
  expect(late.map(line => line.slice(0, 16))).toEqual([
    'web.1 line 19998',
    'web.1 line 19999',
    'web.1 of v2 ERRO',
  ]);
  expect(await read({ lines: 5, version: 2 })).toEqual(['web.1 of v2 ERROR (2)']);
  expect(await read({ lines: 5, contains: 'ERROR', since: new Date(stamp(0)), version: 1 })).toEqual([]);
});

it('looks for text in what is shown, so that nobody finds what is hidden', async () => {
  write('blog.web.1.v1-aaaaaa.log', '2026-01-01T00:00:01Z stdout F the secret is out\n');
  const show = (text: string) => text.replace('secret', '***');
  expect(await read({ lines: 5, show })).toEqual(['web.1 the *** is out']);
  expect(await read({ lines: 5, show, contains: '***' })).toHaveLength(1);
  expect(await read({ lines: 5, show, contains: 'secr' })).toEqual([]);
});

it('writes a line of the platform as one, whatever it tells', async () => {
  const text = 'ended: \x1b[2J\n2026-01-01T00:00:01Z stdout F forged\r\n';
  await createLogFiles({ dir, clock }).say('blog', text);
  expect(await read({ lines: 5 })).toEqual(['wherry ended: 2026-01-01T00:00:01Z stdout F forged']);
});
