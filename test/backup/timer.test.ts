import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { LastBackup } from '../../src/backup/backups.ts';
import { createBackupTimer, writeSchedule } from '../../src/backup/timer.ts';
import { WherryError } from '../../src/domain/errors.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLog } from '../../src/system/log.ts';

function setUp() {
  const store = openStore(':memory:', createSeal(randomBytes(32)));
  const now = { at: new Date('2026-03-01T12:00:00Z') };
  const clock = { ...systemClock, now: () => now.at };
  const made: string[] = [];
  const fault: { error?: Error } = {};
  let last: LastBackup | undefined;
  const backups = {
    running: () => undefined,
    last: () => last,
    make: async () => {
      made.push(now.at.toISOString());
      last = { at: now.at.toISOString(), to: '/srv' };
      if (fault.error) throw fault.error;
      return {} as never;
    },
  };
  const timer = () => createBackupTimer({ store, backups, clock, log: silentLog });
  const tick = async (at: string, by = timer()) => {
    now.at = new Date(at);
    await by(new AbortController().signal);
  };
  return { store, made, tick, fault, now };
}

describe('backups at times', () => {
  it('are not made without a schedule, nor for a time before it was set', async () => {
    const { store, made, tick, now } = setUp();
    await tick('2026-03-02T12:00:00Z');
    writeSchedule(store, { schedule: '0 3 * * *', since: now.at });
    await tick('2026-03-02T12:00:30Z');
    await tick('2026-03-03T02:59:59Z');
    expect(made).toEqual([]);
  });

  it('are made once for each time, and made up for once after the daemon was away', async () => {
    const { store, made, tick, now } = setUp();
    writeSchedule(store, { schedule: '0 3 * * *', since: now.at });
    await tick('2026-03-02T03:00:10Z');
    await tick('2026-03-02T03:00:40Z');
    await tick('2026-03-05T20:00:00Z');
    await tick('2026-03-05T20:00:30Z');
    expect(made).toEqual(['2026-03-02T03:00:10.000Z', '2026-03-05T20:00:00.000Z']);
    writeSchedule(store, undefined);
    await tick('2026-03-09T20:00:30Z');
    expect(made).toHaveLength(2);
  });

  it('that fail are tried at the next time, and do not end it', async () => {
    const { store, made, tick, now, fault } = setUp();
    writeSchedule(store, { schedule: '0 3 * * *', since: now.at });
    fault.error = new WherryError('unavailable', 'The server does not answer.');
    await tick('2026-03-02T03:00:10Z');
    await tick('2026-03-02T03:00:40Z');
    await tick('2026-03-03T03:00:40Z');
    expect(made).toHaveLength(2);
  });
});
