import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { must, run } from '../support/run.ts';
import { type Harness, startHarness } from './harness.ts';

let harness: Harness;
let kept: string;

beforeAll(async () => {
  harness = await startHarness();
  kept = join(harness.data, 'kept');
  harness.deploy = (_, source) => {
    rmSync(kept, { recursive: true, force: true });
    cpSync(source.dir, kept, { recursive: true });
  };
});
afterAll(() => harness.end());

const git = async (...args: string[]) =>
  (await must('git', ['-c', 'safe.directory=*', '-C', kept, ...args])).trim();

describe('the folder of git', () => {
  it('is left out of what is built', async () => {
    const repository = await harness.repository('plain');
    await repository.git('push', 'wherry', 'main');
    expect(existsSync(join(kept, 'index.html'))).toBe(true);
    expect(existsSync(join(kept, '.git'))).toBe(false);
  });

  it('is there when the app keeps it, with the history, the tags in it and clean files', async () => {
    harness.keeps.add('blog');
    const repository = await harness.repository('blog');
    await repository.git('tag', '-a', 'v1.0', '-m', 'First');
    await repository.git('tag', 'blob', 'main:index.html');
    await repository.git('commit', '-q', '--allow-empty', '-m', 'Second');
    await repository.git('push', 'wherry', 'main', '--tags');
    const head = (await repository.git('rev-parse', 'HEAD')).output.trim();
    expect(await git('rev-parse', 'HEAD')).toBe(head);
    expect(await git('log', '--format=%s')).toMatch(/^Second\n./);
    expect(await git('describe', '--dirty')).toBe(`v1.0-1-g${head.slice(0, 7)}`);
    expect(await git('status', '--porcelain', '--branch')).toBe('## main');
    expect(await git('tag', '--list')).toBe('v1.0');
    expect(await git('fsck', '--strict')).toBe('');
    expect(await git('config', '--local', '--list')).not.toContain('receive');
  });

  it('is there too when the commit is built again', async () => {
    const commit = await harness.receiver.head(parseAppName('blog'), 'main');
    const source = await harness.receiver.checkout(parseAppName('blog'), commit ?? '');
    rmSync(kept, { recursive: true, force: true });
    cpSync(source.dir, kept, { recursive: true });
    expect(await git('describe', '--dirty')).toMatch(/^v1\.0-1-g/);
    rmSync(source.dir, { recursive: true });
    expect(harness.leftovers('blog')).toEqual([]);
  });

  it('is refused where commits are missing, by its name', async () => {
    harness.keeps.add('shallow');
    const whole = await harness.repository('shallow');
    await whole.git('commit', '-q', '--allow-empty', '-m', 'Second');
    const clone = `${whole.dir}-clone`;
    await must('git', ['clone', '-q', '--depth', '1', `file://${whole.dir}`, clone]);
    const pushed = await run('git', ['-C', clone, 'push', 'wherry@127.0.0.1:shallow', 'main'], {
      env: harness.env,
    });
    expect(pushed.output).toContain('keep-git-dir is true, and commits before this one are missing');
    expect(harness.leftovers('shallow')).toEqual([]);
  });
});
