import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readAnswers } from '../../src/domain/error-page.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
let dir: string;

beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
  dir = join(bench.paths.edge, 'pages');
  mkdirSync(dir, { recursive: true });
});

const answers = () => {
  const app = bench.store.apps.list()[0];
  return readAnswers(name => bench.store.properties.get(`app:${app?.id}`, name));
};
const set = (page: string, stdin: string) =>
  bench.runWith({ words: ['error-pages:set', 'blog', page], stdin });

describe('error-pages:set', () => {
  it('stores a page, puts it where the edge reads it, and tells the edge', async () => {
    const before = bench.published();
    expect((await set('503', '<h1>Soon</h1>\n')).code).toBe(0);
    const sum = answers().pages?.['503'] ?? '';
    expect(readFileSync(join(dir, `${sum}.html`), 'utf8')).toBe('<h1>Soon</h1>\n');
    expect(bench.published()).toBe(before + 1);
    await set('maintenance', '<h1>Works</h1>');
    expect(Object.keys(answers().pages ?? {})).toEqual(['503', 'maintenance']);
    expect((await bench.run('error-pages:report', 'blog', '--error-pages-503')).stdout).toBe(`${sum}\n`);
  });

  it('takes one of 64 KiB, and no more, nor what is no text or no page of ours', async () => {
    expect((await set('502', 'x'.repeat(65_536))).code).toBe(0);
    expect((await set('502', 'x'.repeat(65_537))).stderr).toContain('More than 65536 bytes');
    expect((await set('502', ' \n')).stderr).toContain('No page came');
    expect((await set('502', 'a\0b')).stderr).toContain('no text in UTF-8');
    expect((await set('404', 'x')).stderr).toContain('Known are: 502, 503, 504, maintenance');
    expect((await set('__proto__', 'x')).code).not.toBe(0);
    expect(readdirSync(dir).length).toBe(1);
  });

  it('is undone by error-pages:unset', async () => {
    await set('502', 'a');
    await set('503', 'b');
    await bench.run('error-pages:unset', 'blog', '502');
    expect(Object.keys(answers().pages ?? {})).toEqual(['503']);
    await bench.run('error-pages:unset', 'blog', '503');
    expect(answers()).toEqual({});
    expect((await bench.run('error-pages:unset', 'nobody', '503')).code).toBe(20);
  });

  it('has its files back, and no others, after they were lost', async () => {
    writeFileSync(join(dir, 'stale.html'), 'old');
    const sum = await bench.services.pageFiles.put('a');
    await bench.services.pageFiles.restore(['b', 'a', 'b']);
    expect(readdirSync(dir).length).toBe(2);
    expect(readdirSync(dir)).toContain(`${sum}.html`);
  });
});

describe('maintenance:enable', () => {
  it('holds until maintenance:disable, and both tell the edge', async () => {
    await bench.services.plugins.open();
    const before = bench.published();
    expect((await bench.run('maintenance:enable', 'blog')).stdout).toContain('Setting maintenance to true');
    expect(answers()).toEqual({ maintenance: true });
    expect((await bench.run('maintenance:report', 'blog', '--maintenance-enabled')).stdout).toBe('true\n');
    await bench.run('maintenance:disable', 'blog');
    expect(answers()).toEqual({});
    expect(bench.published()).toBe(before + 2);
    expect((await bench.run('maintenance:enable', 'nobody')).code).toBe(20);
  });
});
