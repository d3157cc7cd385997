import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { express, probe, probeSaying } from '../support/apps.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('git push', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
  });
  afterAll(() => wherry?.stop());

  it('creates the app, builds it and serves it by its domain', async () => {
    const pushed = await (await wherry.repository('first', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
    expect(pushed.stderr).toMatch(/^remote: -----> /m);
    expect(pushed.stderr).toContain('main -> main');
    expect((await wherry.get('first')).text).toBe('probe one');
  });

  it('builds npm dependencies from the lock file', async () => {
    const pushed = await (await wherry.repository('npm', { from: express })).push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('npm')).text).toContain('version one');
  });

  it('serves the new version as soon as the second push returns', async () => {
    const repository = await wherry.repository('second', { from: probe });
    expect((await repository.push()).code).toBe(0);
    repository.write(probeSaying('probe two'));
    await repository.commit('Say two');
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('second')).text).toBe('probe two');
    expect((await wherry.ssh('releases', 'second')).stdout).toMatch(/v2/);
  });

  it('builds only the deploy branch', async () => {
    const repository = await wherry.repository('branches', { from: probe });
    expect((await repository.push()).code).toBe(0);
    await repository.git('checkout', '-b', 'feature');
    repository.write(probeSaying('feature'));
    await repository.commit('On a branch');
    const pushed = await repository.push('wherry', 'feature');
    expect(pushed.stderr).toMatch(/main/);
    expect((await wherry.get('branches')).text).toBe('probe one');
  });

  it('refuses a push that brings only a tag, and says what to push', async () => {
    const repository = await wherry.repository('tagged', { from: probe });
    expect((await repository.push()).code).toBe(0);
    await repository.git('tag', 'v1.0');
    const pushed = await repository.push('wherry', 'v1.0');
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain(
      'Tags alone deploy nothing. Push the commit to the deploy branch: git push <remote> v1.0^{}:main',
    );
    expect((await repository.push('wherry', 'v1.0^{}:main')).code).toBe(0);
    expect((await wherry.get('tagged')).text).toBe('probe one');
    expect((await wherry.ssh('releases', 'tagged')).stdout).not.toMatch(/v2/);
  });

  it('refuses to delete the deploy branch', async () => {
    const repository = await wherry.repository('deleted', { from: probe });
    expect((await repository.push()).code).toBe(0);
    const pushed = await repository.push('wherry', '--delete', 'main');
    expect(pushed.code, pushed.output).not.toBe(0);
    expect(pushed.stderr).toMatch(/delet/i);
    expect((await wherry.get('deleted')).text).toBe('probe one');
  });

  it('takes rewritten history only when it is forced', async () => {
    const repository = await wherry.repository('rewritten', { from: probe });
    expect((await repository.push()).code).toBe(0);
    repository.write(probeSaying('rewritten'));
    await repository.git('add', '-A');
    await repository.git('commit', '--amend', '-m', 'Another past');
    expect((await repository.push()).code).not.toBe(0);
    expect((await wherry.get('rewritten')).text).toBe('probe one');
    const forced = await repository.push('--force', 'wherry', 'main');
    expect(forced.code, forced.output).toBe(0);
    expect((await wherry.get('rewritten')).text).toBe('rewritten');
  });

  it('deploys one of two pushes at once and is clear to the other', async () => {
    const [one, two] = await Promise.all([
      wherry.repository('raced', { from: probe }),
      wherry.repository('raced', { from: probe, files: probeSaying('probe two') }),
    ]);
    const pushes = await Promise.all([one.push(), two.push()]);
    const served = (await wherry.get('raced')).text;
    const winners = pushes.filter(push => push.code === 0);
    expect(winners.length, pushes.map(push => push.output).join('\n---\n')).toBeGreaterThanOrEqual(1);
    for (const loser of pushes.filter(push => push.code !== 0)) {
      expect(loser.stderr).toMatch(/busy|rejected|failed to update|fetch first|reference/i);
    }
    if (winners.length === 1) expect(served).toBe(pushes[0]?.code === 0 ? 'probe one' : 'probe two');
  });

  it('loses nothing when it is cut off, at whatever moment', async () => {
    const repository = await wherry.repository('cut', { from: probe });
    expect((await repository.push()).code).toBe(0);
    for (const moment of [30, 120, 250, 400, 600, 900]) {
      repository.write(probeSaying(`cut after ${moment}`));
      await repository.commit(`Cut after ${moment}`);
      await repository.pushFor(moment);
      expect((await wherry.get('cut')).text).toMatch(/^(probe one|cut after \d+)$/);
    }
    repository.write(probeSaying('whole again'));
    await repository.commit('Whole again');
    const pushed = await until('a push to be taken', async () => {
      const result = await repository.push();
      return result.code === 0 && result;
    });
    expect(pushed.code).toBe(0);
    expect((await wherry.get('cut')).text).toBe('whole again');
  });

  it('refuses a symbolic link that leads out of the repository, by name', async () => {
    const repository = await wherry.repository('linked', { from: probe });
    symlinkSync('../../../../etc/shadow', join(repository.dir, 'secrets'));
    await repository.commit('Link out');
    const pushed = await repository.push();
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('secrets');
  });

  it('refuses repository names that are no app names', async () => {
    for (const name of ['..', '../../etc', 'a;id', '$(id)', 'UPPER', 'bl\u043eg', 'x'.repeat(300)]) {
      const pushed = await (await wherry.repository(name, { from: probe })).push();
      expect(pushed.code, name).not.toBe(0);
      expect(pushed.stderr, name).toMatch(/not valid|missing/);
    }
    expect((await wherry.cli('apps:list')).stdout).not.toMatch(/id|UPPER|xxx/);
  });
});
