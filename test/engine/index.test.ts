import { expect, test } from 'vitest';
import { createEngine } from '../../src/engine/index.ts';
import { silentLog } from '../../src/system/log.ts';

const options = { root: '/nowhere', tag: '00000000', layerPath: () => '/', log: silentLog };

test('a known engine is made without touching the host', () => {
  expect(createEngine('runc', options).name).toBe('runc');
});

test.each(['', 'podman', 'constructor', '__proto__'])(
  'the engine %j is refused with the known ones named',
  name => {
    expect(() => createEngine(name, options)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('runc') }),
    );
  },
);

test('a verb before open is refused', async () => {
  await expect(createEngine('runc', options).list()).rejects.toMatchObject({ code: 'unavailable' });
});
