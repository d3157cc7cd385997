import { describe, expect, it } from 'vitest';
import { createBuildQueue } from '../../src/build/queue.ts';
import { inTurns, type Sandboxes } from '../../src/build/turns.ts';
import type { SandboxSpec } from '../../src/engine/engine.ts';

const spec = {} as SandboxSpec;
const settled = () => new Promise(resolve => setImmediate(resolve));

function bench(engine: Sandboxes) {
  const queue = createBuildQueue(0);
  return (app: string, signal = new AbortController().signal) =>
    inTurns(engine, queue, { app, memory: 1, signal, onWait: () => {} });
}

const working: Sandboxes = {
  openSandbox: async () => ({ id: 's', run: async () => 0, close: async () => {} }),
};

describe('sandboxes in turns', () => {
  it('of one build share its turn, which ends with the last of them', async () => {
    const build = bench(working);
    const one = build('one');
    const first = await one.openSandbox(spec);
    const second = await one.openSandbox(spec);
    let opened = false;
    const other = build('two')
      .openSandbox(spec)
      .then(sandbox => {
        opened = true;
        return sandbox;
      });
    await first.close();
    await first.close();
    await settled();
    expect(opened).toBe(false);
    await second.close();
    await (await other).close();
  });

  it('end their turn when one does not open or its build is aborted while it waits', async () => {
    let fail = true;
    const build = bench({
      openSandbox: async given => {
        if (fail) throw new Error('no disk');
        return working.openSandbox(given);
      },
    });
    await expect(build('one').openSandbox(spec)).rejects.toThrow('no disk');
    fail = false;
    const held = await build('two').openSandbox(spec);
    const gone = new AbortController();
    const left = build('three', gone.signal).openSandbox(spec);
    gone.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    await held.close();
    await (await build('four').openSandbox(spec)).close();
  });
});
