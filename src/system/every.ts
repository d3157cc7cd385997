import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** Does something again and again, `ms` after it was done, until closed; a failure is logged and does not end it. */
export function every(
  ms: number,
  work: () => Promise<void>,
  { clock, log }: { clock: Clock; log: Log },
): { close(): Promise<void> } {
  const over = new AbortController();
  const loop = async () => {
    while (!over.signal.aborted) {
      await clock.sleep(ms, over.signal).catch(() => {});
      if (over.signal.aborted) return;
      await work().catch(error => log.error({ err: error }, 'what is done regularly failed'));
    }
  };
  const running = loop();
  return {
    async close() {
      over.abort();
      await running;
    },
  };
}

/** Does nothing, in the place of `every`. */
export const never: typeof every = () => ({ close: async () => {} });
