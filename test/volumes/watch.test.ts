import { expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { createVolumeWatch } from '../../src/volumes/watch.ts';

const mib = 2 ** 20;

it('tells each app once that storage is full, and again after it had room', async () => {
  const free = { uploads: 30 * mib, logs: 30 * mib };
  const told: [string | undefined, string][] = [];
  const watch = createVolumeWatch(
    {
      sized: async () => [
        {
          name: 'uploads',
          apps: [parseAppName('blog'), parseAppName('shop')],
          room: { size: 64 * mib, used: 0, free: free.uploads },
        },
        { name: 'logs', apps: [], room: { size: 64 * mib, used: 0, free: free.logs } },
      ],
    },
    (app, message) => told.push([app, message]),
  );
  await watch();
  expect(told).toEqual([]);
  free.uploads = mib;
  await watch();
  await watch();
  expect(told.map(([app]) => app)).toEqual(['blog', 'shop']);
  expect(told[0]?.[1]).toContain(
    'Storage uploads is full: it has a size of 64m. Give it more, as in "storage:set uploads size 128m"',
  );
  free.uploads = 30 * mib;
  free.logs = 0;
  await watch();
  free.uploads = 0;
  await watch();
  expect(told.map(([app]) => app)).toEqual(['blog', 'shop', undefined, 'blog', 'shop']);
});
