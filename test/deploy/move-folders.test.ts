import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { moveFolders } from '../../src/deploy/move-folders.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { createAccessLogs } from '../../src/edge-link/index.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { createPaths } from '../../src/system/paths.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-move-'));
});
afterEach(() => rmSync(dir, { recursive: true }));
const [from, to] = [parseAppName('blog'), parseAppName('journal')];
const put = (path: string) => {
  mkdirSync(join(dir, path, '..'), { recursive: true });
  writeFileSync(join(dir, path), '');
};
const move = () => moveFolders(createPaths({ data: dir }), from, to);

it('moves what has the name, leaves others alone, and does the rest when it is done again', () => {
  for (const path of [
    'repos/blog.git/HEAD',
    'builds/blog/explain.json',
    'builds-log/blog/1',
    'repos/blog-2.git/HEAD',
  ])
    put(path);
  put('logs/blog/blog.web.1.v1-aaaaaa.log');
  put('logs/journal/wherry.log');
  move();
  expect(readdirSync(join(dir, 'repos')).sort()).toEqual(['blog-2.git', 'journal.git']);
  expect(readdirSync(join(dir, 'builds'))).toEqual(['journal']);
  expect(readdirSync(join(dir, 'builds-log'))).toEqual(['journal']);
  expect(readdirSync(join(dir, 'logs/journal')).sort()).toEqual(['blog.web.1.v1-aaaaaa.log', 'wherry.log']);
  put('logs/blog/late.log');
  move();
  expect(readdirSync(join(dir, 'logs'))).toEqual(['journal']);
  expect(existsSync(join(dir, 'logs/journal/late.log'))).toBe(true);
});

it('keeps what an app has logged, before what the edge began under its new name', async () => {
  const line = (path: string) =>
    `${JSON.stringify({ at: '2026-01-01T00:00:00Z', client: '', method: 'GET', host: 'h', path, protocol: 'HTTP/1.1', requestId: '', status: 200, bytesIn: 0, bytesOut: 0, ms: {} })}\n`;
  const logs = createAccessLogs({ dir, clock });
  const paths = async () => {
    const found: unknown[] = [];
    for await (const each of logs.read('journal', { lines: 10, follow: false }))
      found.push('path' in each && each.path);
    return found;
  };
  mkdirSync(join(dir, 'access'));
  writeFileSync(join(dir, 'access/blog.log'), line('/before'));
  logs.rename('blog', 'journal');
  expect(await paths()).toEqual(['/before']);
  writeFileSync(join(dir, 'access/blog.log'), line('/older'));
  logs.rename('blog', 'journal');
  expect(await paths()).toEqual(['/older', '/before']);
  expect(readdirSync(join(dir, 'access')).sort()).toEqual(['journal.log', 'journal.log.old']);
});
