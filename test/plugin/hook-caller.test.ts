import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHookCaller, limits, type Participant } from '../../src/plugin/hook-caller.ts';
import { loadPlugin } from '../../src/plugin/load.ts';
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
    ...{ name, failures, call, takes: () => true },
    failed: (hook, error) => void failures.push(`${hook}: ${(error as Error).message}`),
  };
}

const hang = () => new Promise<never>(() => {});

describe('a plugin that hangs', () => {
  it('is waited for no longer than its limit where it has a veto, and then said to hold things up', async () => {
    const { clock, pass, sleeping } = standingClock();
    const stuck = participant('stuck', hang);
    const asked = createHookCaller(() => [stuck], clock).ask('before-deploy', {
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
    const hooks = createHookCaller(() => [stuck, other], clock);
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
    const hooks = createHookCaller(() => [stuck], clock);
    for (let at = 0; at < 1500; at++) hooks.tell('scaled', happened);
    expect(stuck.failures.length).toBe(500);
    expect(stuck.failures[0]).toContain('1000 events wait');
  });

  it('is left when whoever waits leaves', async () => {
    const { clock } = standingClock();
    const leave = new AbortController();
    const asked = createHookCaller(() => [participant('stuck', hang)], clock).ask(
      'before-build',
      building,
      leave.signal,
    );
    leave.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
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
