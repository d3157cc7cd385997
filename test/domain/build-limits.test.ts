import { describe, expect, it } from 'vitest';
import {
  type Breach,
  type BuildProperty,
  buildDefaults,
  buildLimitsOf,
  buildPropertyNames,
  LimitReached,
  parseBuildProperty,
  shownProperty,
} from '../../src/domain/build-limits.ts';

const [mib, gib] = [2 ** 20, 2 ** 30];

describe('a limit of builds', () => {
  it.each<[BuildProperty, string, string]>([
    ['memory', '4g', '4g'],
    ['memory', '1.5g', '1536m'],
    ['memory', '512', '512m'],
    ['memory', '4t', '4096g'],
    ['memory', '5000001b', '5000001b'],
    ['cpu', '1', '1%'],
    ['cpu', '100%', '100%'],
    ['timeout', '10s', '10s'],
    ['timeout', '1d', '24h'],
    ['silence', '90', '90s'],
    ['disk', '16m', '16m'],
    ['processes', '16', '16'],
    ['processes', '032768', '32768'],
    ['network', 'registries', 'registries'],
  ])('%s %s is stored as %s, which reads the same', (property, text, stored) => {
    expect(parseBuildProperty(property, text)).toBe(stored);
    expect(parseBuildProperty(property, stored)).toBe(stored);
  });

  it.each<[BuildProperty, string, string]>([
    ['memory', '3m', 'Memory "3m" is out of range. Give between 4m and 4t.'],
    ['disk', '15m', 'Disk "15m" is out of range. Give between 16m and 4t.'],
    ['cpu', '101', '"101" is no percent for cpu. Give 1 to 100.'],
    ['cpu', '50%%', '"50%" is no percent for cpu. Give 1 to 100.'],
    ['timeout', '9999ms', '"9999ms" is out of range for timeout. Give between 10s and 24h.'],
    ['silence', '999999999d', '"999999999d" is out of range for silence. Give between 10s and 24h.'],
    ['processes', '15', '"15" is no number of processes. Give 16 to 32768.'],
    ['processes', '-20', '"-20" is no number of processes. Give 16 to 32768.'],
    ['network', 'host', '"host" is no network for builds. Give all, registries or none.'],
  ])('%s %s is refused with the range', (property, text, message) => {
    expect(() => parseBuildProperty(property, text)).toThrow(message);
  });

  it('holds as it is documented where nothing is stored', () => {
    expect(buildPropertyNames.map(name => shownProperty(name, undefined))).toEqual([
      ...['2g', '25%', '25m', '10m', '4g', '1024', 'all'],
    ]);
    expect(buildDefaults).toEqual({
      ...{ memory: 2 * gib, cpu: 25, time: 1_500_000, silence: 600_000, disk: 4 * gib, pids: 1024 },
      network: 'all',
    });
  });

  it('holds as it is stored, each alone', () => {
    const stored = new Map([
      ['builds-memory', '512m'],
      ['builds-timeout', '1h'],
      ['builds-network', 'none'],
    ]);
    expect(buildLimitsOf(key => stored.get(key))).toEqual({
      ...buildDefaults,
      memory: 512 * mib,
      time: 3_600_000,
      network: 'none',
    });
  });
});

describe('the end of a build at a limit', () => {
  it.each<[Breach, string]>([
    [
      { property: 'memory', limit: 512 * mib },
      'The build was killed at its memory limit of 512m: let it use less, or raise the limit with: builds:set blog memory 1g',
    ],
    [
      { property: 'timeout', limit: 1_500_000 },
      'The build was stopped at its time limit of 25m: let it do less, or raise the limit with: builds:set blog timeout 50m',
    ],
    [
      { property: 'silence', limit: 600_000 },
      'The build was stopped because it printed nothing for 10m: let long steps print their progress, or raise the limit with: builds:set blog silence 20m',
    ],
    [
      { property: 'disk', limit: 4 * gib },
      'The build wrote more than its disk limit of 4g: let it write less, or raise the limit with: builds:set blog disk 8g',
    ],
    [
      { property: 'processes', limit: 1024 },
      'The build failed at its limit of 1024 processes and threads: let it start fewer at once, or raise the limit with: builds:set blog processes 2048',
    ],
  ])('is one sentence with the limit and the command: %j', (breach, message) => {
    expect(new LimitReached(breach).of('blog')).toMatchObject({ code: 'build-failed', message, breach });
    expect(new LimitReached(breach).message).toContain('builds:set APP ');
  });

  it.each<[Breach, string]>([
    [{ property: 'timeout', limit: 13 * 3_600_000 }, 'builds:set blog timeout 24h'],
    [{ property: 'processes', limit: 20_000 }, 'builds:set blog processes 32768'],
    [{ property: 'memory', limit: 3 * 2 ** 40 }, 'builds:set blog memory 4096g'],
  ])('names a command that is not refused: %j', (breach, command) => {
    expect(new LimitReached(breach, 'blog').message).toMatch(new RegExp(`: ${command}$`));
    expect(() => parseBuildProperty(breach.property, command.split(' ')[3] ?? '')).not.toThrow();
  });

  it('names none where the limit cannot be raised', () => {
    expect(new LimitReached({ property: 'processes', limit: 32_768 }, 'blog').message).toBe(
      'The build failed at its limit of 32768 processes and threads: let it start fewer at once.',
    );
  });
});
