import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../support/run.ts';

const source = new URL('../../src/system/', import.meta.url).pathname;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-crash-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A process of its own, in the folder. */
const child = (code: string) =>
  run(process.execPath, ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', code], {
    cwd: dir,
    timeout: 60_000,
  });

it('leaves nothing of the memory of the daemon, or of what it started, on the disk', async () => {
  const { stdout, stderr } = await child(`
    import { execFileSync } from 'node:child_process';
    import { forbidCoreDumps } from '${source}core-dumps.ts';
    await forbidCoreDumps();
    console.log(execFileSync('cat', ['/proc/self/limits', '/proc/self/coredump_filter'], { encoding: 'utf8' }));
    process.abort();
  `);
  expect(stdout, stderr).toMatch(/^Max core file size +0 +\S+ +bytes/m);
  expect(stdout).toMatch(/^0{8}$/m);
  expect(readdirSync(dir)).toEqual([]);
});

it('tells an error in the log without what is hidden, and other lines as they are', async () => {
  const { stderr } = await child(`
    import { createLog } from '${source}log.ts';
    const log = createLog('test', 'info', line => line.replaceAll('secret', '[masked]'));
    log.error({ err: new Error('a secret') }, 'it broke');
    log.child({ app: 'blog' }).error({ err: new Error('a secret') }, 'so did this');
    log.warn({ err: new Error('a secret') }, 'take care');
    log.info({ word: 'secret' }, 'as it is');
  `);
  const lines = stderr
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(lines.map(({ msg }) => msg)).toEqual(['it broke', 'so did this', 'take care', 'as it is']);
  expect(lines[0].err.message).toBe('a [masked]');
  expect(lines[1].err.stack).toContain('a [masked]');
  expect(lines[2].err.message).toBe('a [masked]');
  expect(lines[3].word).toBe('secret');
});
