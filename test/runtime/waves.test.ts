import { describe, expect, it } from 'vitest';
import { type ProcessType, parseProcessType } from '../../src/domain/names.ts';
import { unlimited } from '../../src/domain/parallel.ts';
import { wavesOf } from '../../src/runtime/waves.ts';

const placed = (counts: Record<string, number>) =>
  Object.entries(counts).flatMap(([type, count]) =>
    Array.from({ length: count }, (_, at) => ({ type: parseProcessType(type), index: at + 1 })),
  );
const waves = (
  counts: Record<string, number>,
  atOnce: Record<string, number> | undefined,
  types = unlimited,
) =>
  wavesOf(
    placed(counts),
    atOnce && { instances: (type: ProcessType) => atOnce[type] ?? unlimited, types },
  ).map(wave => wave.map(({ type, index }) => `${type}.${index}`).join(' '));

describe('what of a deploy starts at once', () => {
  it('is all of it unless that is limited', () => {
    expect(waves({ web: 2, worker: 1 }, undefined)).toEqual(['web.1 web.2 worker.1']);
    expect(waves({ web: 2, worker: 1 }, {})).toEqual(['web.1 web.2 worker.1']);
    expect(waves({ web: 2 }, { web: 2 })).toEqual(['web.1 web.2']);
    expect(waves({}, { web: 1 })).toEqual([]);
  });

  it('is as many of each type as may be', () => {
    expect(waves({ web: 5, worker: 2 }, { web: 2 })).toEqual([
      'web.1 web.2 worker.1 worker.2',
      'web.3 web.4',
      'web.5',
    ]);
    expect(waves({ web: 2, worker: 3 }, { web: 1, worker: 2 })).toEqual([
      'web.1 worker.1 worker.2',
      'web.2 worker.3',
    ]);
  });

  it('is as many types as may be, web first', () => {
    expect(waves({ clock: 1, web: 2, worker: 1 }, {}, 1)).toEqual(['web.1 web.2', 'clock.1', 'worker.1']);
    expect(waves({ clock: 1, web: 2, worker: 1 }, { web: 1 }, 2)).toEqual([
      'web.1 clock.1',
      'web.2',
      'worker.1',
    ]);
  });
});
