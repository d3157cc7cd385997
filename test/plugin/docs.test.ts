import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { between } from '../../src/commands/document.ts';
import { hookTable } from '../../src/plugin/hook-table.ts';
import { type Bench, createBench } from '../commands/support.ts';
import { until } from '../support/until.ts';

const guide = readFileSync(new URL('../../docs/plugins.md', import.meta.url), 'utf8');

/** The first block of code of a language. */
const block = (language: string) => guide.match(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's'))?.[1] ?? '';

describe('docs/plugins.md', () => {
  let dir: string;
  let bench: Bench;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'wherry-guide-'));
    bench = createBench();
    await bench.services.plugins.open();
  });
  afterEach(async () => {
    await bench.services.plugins.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('has the hooks as they are', () => {
    expect(between(guide, 'hooks', hookTable()), 'run "npm run docs"').toBe(guide);
  });

  it('has an example that does what it says', async () => {
    writeFileSync(join(dir, 'package.json'), block('json'));
    writeFileSync(join(dir, 'index.js'), block('js'));
    expect((await bench.run('plugin:install', dir)).stdout).toContain('Plugin freeze 1.0.0 is enabled');
    await bench.deployed('blog');
    expect((await bench.run('freeze:why', 'blog')).stdout).toBe('It may be deployed.\n');
    await bench.run('freeze:set', '--global', 'reason', ' Holidays. ');
    const refused = await bench.run('rollback', 'blog', '1');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Plugin freeze does not allow it: Holidays.'),
    });
    await until('the note', async () => (await bench.run('events', 'blog')).stdout.includes('Not deployed:'));
    await bench.run('freeze:set', '--global', 'reason');
    expect((await bench.run('rollback', 'blog', '1')).code).toBe(0);
  });
});
