import { describe, expect, it } from 'vitest';
import { createBuildQueue, defaultBuildMemory, type Turn } from '../../src/build/queue.ts';

const gib = 2 ** 30;
const never = new AbortController().signal;
const settled = () => new Promise(resolve => setImmediate(resolve));

/** A queue that notes who was let in, and what they were told. */
function bench(budget: number) {
  const queue = createBuildQueue(budget);
  const entered: string[] = [];
  const told: string[] = [];
  const enter = async (app: string, options: Partial<Turn> = {}) => {
    const leave = await queue.enter({
      app,
      memory: gib,
      signal: never,
      onWait: why => told.push(why),
      ...options,
    });
    entered.push(app);
    return leave;
  };
  return { enter, entered, told };
}

describe('the build queue', () => {
  it('lets builds in while they fit, then in the order they came', async () => {
    const { enter, entered, told } = bench(2 * gib);
    const leave = [await enter('a'), await enter('b')];
    const [c, d] = [enter('c'), enter('d')];
    await settled();
    expect(entered).toEqual(['a', 'b']);
    expect(told[0]).toBe(
      'Waiting for the memory of other builds: a, b have 2g of the 2g for builds, this needs 1g',
    );
    leave[1]?.();
    await c;
    await settled();
    expect(entered).toEqual(['a', 'b', 'c']);
    leave[0]?.();
    await d;
  });

  it('always lets one in, however small the host', async () => {
    const { enter, entered } = bench(0);
    const leave = await enter('huge', { memory: 64 * gib });
    const next = enter('next');
    await settled();
    expect(entered).toEqual(['huge']);
    leave();
    await next;
    expect(entered).toEqual(['huge', 'next']);
  });

  it('is fair: a small one does not pass a large one that waits', async () => {
    const { enter, entered } = bench(3 * gib);
    const leave = await enter('a', { memory: 2 * gib });
    const large = enter('large', { memory: 2 * gib });
    const small = enter('small');
    await settled();
    expect(entered).toEqual(['a']);
    leave();
    await Promise.all([large, small]);
    expect(entered).toEqual(['a', 'large', 'small']);
  });

  it('forgets who leaves, and lets in those behind them', async () => {
    const { enter, entered } = bench(3 * gib);
    await enter('a', { memory: 2 * gib });
    const gone = new AbortController();
    const large = enter('large', { memory: 3 * gib, signal: gone.signal });
    const small = enter('small');
    gone.abort(new Error('left'));
    await expect(large).rejects.toThrow('left');
    await small;
    expect(entered).toEqual(['a', 'small']);
    await expect(enter('late', { signal: gone.signal })).rejects.toThrow('left');
  });

  it('counts a turn that is ended twice once', async () => {
    const { enter, entered } = bench(gib);
    const leave = await enter('a');
    const second = enter('b');
    const third = enter('c');
    leave();
    leave();
    await second;
    await settled();
    expect(entered).toEqual(['a', 'b']);
    (await second)();
    await third;
  });

  it('has half of the memory less a reserve unless told', () => {
    expect(defaultBuildMemory(8 * gib)).toBe(4 * gib - 256 * 2 ** 20);
    expect(defaultBuildMemory(2 ** 28)).toBe(0);
  });
});
