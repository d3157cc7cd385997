import { describe, expect, it } from 'vitest';
import { parseAppJson } from '../../src/build/app-json.ts';

const read = (cron: unknown) => parseAppJson(JSON.stringify({ cron })).parts.cron;

describe('cron of an app.json', () => {
  it('is read with its policy, and left out where there is none', () => {
    expect(
      read([{ command: ' rake report ', schedule: '@daily', concurrency_policy: 'forbid', other: 1 }]),
    ).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{12}$/),
        command: 'rake report',
        schedule: '@daily',
        concurrency: 'forbid',
      },
    ]);
    expect(read([{ command: 'x', schedule: '0 * * * *' }])?.[0]?.concurrency).toBe('allow');
    expect(read(undefined)).toBeUndefined();
    expect(read([])).toBeUndefined();
  });

  it.each([
    ['no list', { command: 'x' }, 'Invalid app.json: cron'],
    ['no command', [{ schedule: '@daily' }], 'cron.0.command'],
    ['an empty command', [{ command: ' ', schedule: '@daily' }], 'must not be empty'],
    ['seconds', [{ command: 'x', schedule: '0 0 * * * *' }], 'is not a schedule of five fields'],
    ['a day that never is', [{ command: 'x', schedule: '0 0 30 2 *' }], 'is never due'],
    [
      'another policy',
      [{ command: 'x', schedule: '@daily', concurrency_policy: 'queue' }],
      'cron.0.concurrency_policy',
    ],
    [
      'one twice',
      [
        { command: 'x', schedule: '@daily' },
        { command: 'x', schedule: '@daily' },
      ],
      'twice',
    ],
  ])('is refused with %s', (_what, cron, reason) => expect(() => read(cron)).toThrow(reason));
});
