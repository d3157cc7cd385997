import type { Engine, Sandbox } from '../engine/engine.ts';
import type { BuildQueue, Turn } from './queue.ts';

/** What builds use of an engine. */
export type Sandboxes = Pick<Engine, 'openSandbox'>;

/**
 * Sandboxes of one build that wait for its turn: taken with the first that is open, over with the last. A build that needs no
 * container waits for nobody.
 */
export function inTurns(engine: Sandboxes, queue: BuildQueue, turn: Turn): Sandboxes {
  let open = 0;
  let entered: Promise<() => void> | undefined;
  const leave = async () => {
    open -= 1;
    if (open > 0) return;
    const end = entered;
    entered = undefined;
    (await end)?.();
  };
  const closing = (sandbox: Sandbox): Sandbox => {
    let closed: Promise<void> | undefined;
    return {
      id: sandbox.id,
      run: step => sandbox.run(step),
      close: () => {
        closed ??= sandbox.close().finally(leave);
        return closed;
      },
    };
  };
  return {
    async openSandbox(spec) {
      entered ??= queue.enter(turn);
      const entering = entered;
      try {
        await entering;
      } catch (error) {
        if (entered === entering) entered = undefined;
        throw error;
      }
      open += 1;
      try {
        return closing(await engine.openSandbox(spec));
      } catch (error) {
        await leave();
        throw error;
      }
    },
  };
}
