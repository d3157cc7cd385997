import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHookCaller, limits, type Participant } from '../../src/plugin/hook-caller.ts';
import { loadPlugin } from '../../src/plugin/load.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';
import type { Clock } from '../../src/system/clock.ts';
import { until } from '../support/until.ts';

const building = { app: 'blog', commit: 'a'.repeat(40), subject: 'First', actor: 'ann' };
const happened = { app: 'blog', at: '2026-01-01T00:00:00Z', message: 'x', actor: null };

/** Time goes on when the test says so. */
function standingClock() {
  const sleepers: { ms: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => new Date(0),
    ticks: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  return {
    clock,
    pass: (ms: number) => {
      for (const sleeper of sleepers) if (sleeper.ms <= ms) sleeper.wake();
    },
    sleeping: () => sleepers.length,
  };
}

function participant(name: string, call: Participant['call']): Participant & { failures: string[] } {
  const failures: string[] = [];
  return {
    ...{ name, failures, call, part: 'code', takes: () => true },
    failed: (hook, error) => void failures.push(`${hook}: ${(error as Error).message}`),
  };
}

const kept = () => openStore(':memory:', createSeal(randomBytes(32))).pluginNotices;

const hang = () => new Promise<never>(() => {});

describe('a plugin that hangs', () => {
  it('is waited for no longer than its limit where it has a veto, and then said to hold things up', async () => {
    const { clock, pass, sleeping } = standingClock();
    const stuck = participant('stuck', hang);
    const asked = createHookCaller(() => [stuck], { clock, kept: kept() }).ask('before-deploy', {
      ...{ app: 'blog', version: 1, description: 'x', commit: null, actor: 'ann' },
    });
    const ended = asked.then(
      () => 'agreed',
      error => String(error),
    );
    await until('it', () => sleeping() === 1, { every: 1 });
    pass(limits.veto);
    expect(await ended).toContain('Plugin stuck must agree before this goes on, and could not say');
    expect(stuck.failures).toEqual(['before-deploy: it took longer than 60 s']);
  });

  it('stops nothing where it has none', async () => {
    const { clock, pass, sleeping } = standingClock();
    const heard: string[] = [];
    const stuck = participant('stuck', hang);
    const other = participant('other', async hook => void heard.push(hook));
    const hooks = createHookCaller(() => [stuck, other], { clock, kept: kept() });
    hooks.tell('scaled', happened);
    await until('it', () => heard.length === 1, { every: 1 });
    const changed = hooks.change('build-environment', building);
    await until('it', () => sleeping() >= 3, { every: 1 });
    pass(limits.change);
    expect(await changed).toEqual({});
  });

  it('has at most a thousand events waiting', async () => {
    const { clock } = standingClock();
    const stuck = participant('stuck', hang);
    const hooks = createHookCaller(() => [stuck], { clock, kept: kept() });
    for (let at = 0; at < 1500; at++) hooks.tell('scaled', happened);
    expect(stuck.failures.length).toBe(500);
    expect(stuck.failures[0]).toContain('1000 events wait');
  });

  it('is left when whoever waits leaves', async () => {
    const { clock } = standingClock();
    const leave = new AbortController();
    const asked = createHookCaller(() => [participant('stuck', hang)], { clock, kept: kept() }).ask(
      'before-build',
      building,
      leave.signal,
    );
    leave.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
  });
});

describe('what a plugin is told', () => {
  const { clock } = standingClock();
  const told = (at: number) => ({ ...happened, message: `${at}` });

  it('waits for the next start when the daemon ends, in its order and with what was under way', async () => {
    const notices = kept();
    const before: string[] = [];
    const hooks = createHookCaller(
      () => [
        participant('slow', async (_hook, event) => {
          before.push((event as { message: string }).message);
          if (before.length > 1) await hang();
        }),
      ],
      { clock, kept: notices },
    );
    for (const at of [1, 2, 3]) hooks.tell('scaled', told(at));
    await until('the second', () => before.length === 2, { every: 1 });
    hooks.stop();

    const after: string[] = [];
    const next = createHookCaller(
      () => [participant('slow', async (hook, event) => void after.push(`${hook} ${JSON.stringify(event)}`))],
      { clock, kept: notices },
    );
    next.resume();
    await until('them', () => after.length === 2, { every: 1 });
    expect(after).toEqual([2, 3].map(at => `scaled ${JSON.stringify(told(at))}`));
    await until('nothing left', () => notices.left().length === 0, { every: 1 });
  });

  it('is kept through a failure of stopping, and not through one of its own', async () => {
    const notices = kept();
    let fail: (error: Error) => void = () => {};
    const one = participant('one', () => new Promise((_resolve, reject) => (fail = reject)));
    const hooks = createHookCaller(() => [one], { clock, kept: notices });
    hooks.tell('scaled', told(1));
    hooks.tell('scaled', told(2));
    await Promise.resolve();
    await Promise.resolve();
    fail(new Error('no'));
    await until('the failure', () => one.failures.length === 1, { every: 1 });
    hooks.stop();
    fail(new Error('stopping'));
    await Promise.resolve();
    expect(notices.left()).toMatchObject([{ listener: 'one code', hook: 'scaled', event: { message: '2' } }]);
    expect(one.failures).toEqual(['scaled: no']);
  });

  it('is forgotten of one that is gone or takes it no more, and after five starts that told nothing', () => {
    const notices = kept();
    notices.add('gone code', 'scaled', told(1));
    notices.add('one code', 'no-such-hook', told(2));
    createHookCaller(() => [participant('one', hang)], { clock, kept: notices }).resume();
    expect(notices.left()).toEqual([]);
    notices.add('one code', 'scaled', told(3));
    const starts = [1, 2, 3, 4, 5, 6].map(() => notices.left().length);
    expect(starts).toEqual([1, 1, 1, 1, 1, 0]);
  });
});

it('code that never says what it is does not keep the daemon from beginning', async () => {
  const { clock, pass, sleeping } = standingClock();
  const path = mkdtempSync(join(tmpdir(), 'wherry-load-'));
  writeFileSync(join(path, 'index.js'), 'await new Promise(() => {});\n');
  const loading = loadPlugin({ name: 'stuck', path }, clock);
  await until('the wait', () => sleeping() === 1, { every: 1 });
  pass(10_000);
  expect(await loading).toEqual({ unusable: expect.stringContaining('it took longer than 10 s') });
  rmSync(path, { recursive: true });
});
