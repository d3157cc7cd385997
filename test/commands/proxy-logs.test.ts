import { appendFileSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
let file: string;

beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
  const dir = join(bench.paths.edge, 'access');
  mkdirSync(dir, { recursive: true });
  file = join(dir, 'blog.log');
});

const line = (path: string, more: object = {}) =>
  `${JSON.stringify({
    at: '2026-11-24T14:05:09.123Z',
    client: '203.0.113.9',
    method: 'GET',
    host: 'blog.example.org',
    path,
    protocol: 'HTTP/1.1',
    status: 200,
    bytesIn: 0,
    bytesOut: 123,
    ms: { queue: 0, wake: 0, connect: 0.2, firstByte: 3, total: 4 },
    instance: 'i-1',
    requestId: 'abc',
    ...more,
  })}\n`;

describe('proxy:logs', () => {
  it('are in the combined format', async () => {
    writeFileSync(file, line('/a', { referer: 'http://x.test/', agent: 'curl/8' }) + line('/b'));
    expect((await bench.run('proxy:logs', 'blog')).stdout).toBe(
      '203.0.113.9 - - [24/Nov/2026:14:05:09 +0000] "GET /a HTTP/1.1" 200 123 "http://x.test/" "curl/8"\n' +
        '203.0.113.9 - - [24/Nov/2026:14:05:09 +0000] "GET /b HTTP/1.1" 200 123 "-" "-"\n',
    );
  });

  it('are the whole lines as JSON', async () => {
    writeFileSync(file, line('/a'));
    expect((await bench.run('proxy:logs', 'blog', '--format', 'json')).stdout).toBe(line('/a'));
  });

  it('are the last lines with -n, of the file that was put aside too', async () => {
    writeFileSync(`${file}.old`, line('/1') + line('/2'));
    writeFileSync(file, line('/3'));
    const { stdout } = await bench.run('proxy:logs', 'blog', '-n', '2');
    expect(stdout.match(/GET \S+/g)).toEqual(['GET /2', 'GET /3']);
    expect((await bench.run('proxy:logs', 'blog', '-n', '0')).stdout).toBe('');
  });

  it('can harm no terminal and fake no line, whatever a visitor sends', async () => {
    writeFileSync(file, line('/\x1b[2J', { agent: 'a" "b\n203.0.113.1 - é\u202e' }));
    const { stdout } = await bench.run('proxy:logs', 'blog');
    expect(stdout).toContain('"GET /\\x1b[2J HTTP/1.1"');
    expect(stdout).toContain('"a\\x22 \\x22b\\x0a203.0.113.1 - \\xc3\\xa9\\xe2\\x80\\xae"');
    expect(stdout.split('\n').length).toBe(2);
  });

  it('say where lines were lost, and leave out what is none', async () => {
    writeFileSync(
      file,
      `garbage\n{"at":1}\nnull\n{"at":"x","status":"no"}\n{"at":"2026-11-24T14:05:09.123Z","dropped":7}\n${line('/b')}{"at":`,
    );
    expect((await bench.run('proxy:logs', 'blog')).stdout).toMatch(
      /^# 7 lines were lost before 2026\S+: the disk was too slow\.\n\S+ .* "GET \/b .*\n$/,
    );
  });

  it('follow no link that the edge may have made', async () => {
    const secret = join(bench.paths.data, 'secret');
    writeFileSync(secret, line('/secret'));
    symlinkSync(secret, file);
    expect((await bench.run('proxy:logs', 'blog')).stdout).toBe('');
    rmSync(file);
    linkSync(secret, file);
    expect((await bench.run('proxy:logs', 'blog')).stdout).toBe('');
  });

  it('with --follow go on, over a file that is put aside', async () => {
    writeFileSync(file, line('/1'));
    const client = new AbortController();
    const following = bench.runWith({ words: ['proxy:logs', 'blog', '--follow'], signal: client.signal });
    setTimeout(() => {
      appendFileSync(file, line('/2'));
      renameSync(file, `${file}.old`);
      writeFileSync(file, line('/3'));
    }, 100);
    setTimeout(() => client.abort(), 1200);
    expect((await following).stdout.match(/GET \S+/g)).toEqual(['GET /1', 'GET /2', 'GET /3']);
  });

  it('are empty for an app that was never asked, and refused for one that is not', async () => {
    expect(await bench.run('proxy:logs', 'blog')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await bench.run('proxy:logs', 'nobody')).code).toBe(20);
    expect((await bench.run('proxy:logs', 'blog', '--format', 'xml')).stderr).toContain(
      'Known are: combined, json',
    );
    expect((await bench.run('proxy:logs', 'blog', '-n', '-5')).code).not.toBe(0);
  });
});
