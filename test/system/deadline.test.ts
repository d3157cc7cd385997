import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { deadline } from '../../src/system/deadline.ts';

describe('a deadline', () => {
  it('comes also when nothing but a combination with others holds it, whatever the garbage collector does', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const passed = await new Promise<unknown>(resolve => {
      const either = AbortSignal.any([new AbortController().signal, deadline(60)]);
      either.addEventListener('abort', () => resolve(either.reason.name), { once: true });
      collect();
      // A task later, what was only held weakly goes.
      setTimeout(collect, 1);
      setTimeout(() => resolve('never'), 2000);
    });
    expect(passed).toBe('TimeoutError');
  });
});
