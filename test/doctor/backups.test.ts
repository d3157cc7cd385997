import { describe, expect, it } from 'vitest';
import { checkBackups } from '../../src/doctor/backups.ts';
import { healthyHost } from './support.ts';

const now = new Date('2026-03-10T12:00:00Z');
const daily = { schedule: '0 3 * * *', error: undefined, lastGood: new Date('2026-03-10T03:00:00Z') };

describe('backups', () => {
  it('are nothing to tell of where none are set up', async () => {
    expect(await checkBackups(healthyHost(), undefined, now)).toEqual([]);
  });

  it.each([
    ['ok', daily, /2026-03-10T03:00:00/],
    ['ok', { ...daily, schedule: undefined, lastGood: new Date('2025-01-01') }, /2025/],
    ['warn', { ...daily, lastGood: new Date('2026-03-08T03:00:00Z') }, /overdue/],
    ['warn', { ...daily, lastGood: undefined }, /none was made/],
    ['fail', { ...daily, error: 'The server does not answer.' }, /failed: The server/],
  ])('are %s', async (state, given, message) => {
    expect(await checkBackups(healthyHost(), given, now)).toEqual([
      expect.objectContaining({ state, message: expect.stringMatching(message) }),
    ]);
  });

  it('need their program', async () => {
    const host = healthyHost({ version: async () => undefined });
    expect(await checkBackups(host, daily, now)).toMatchObject([
      { state: 'fail', remedy: expect.stringContaining('restic') },
    ]);
  });
});
