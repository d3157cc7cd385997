import type { Clock } from '../system/clock.ts';

/** Waits for work no longer than `ms`; what it does after that nobody sees. @throws Error when it takes longer, or the signal's reason */
export async function withinLimit<Result>(
  work: (signal: AbortSignal) => Promise<Result> | Result,
  { ms, clock, signal }: { ms: number; clock: Clock; signal?: AbortSignal | undefined },
): Promise<Result> {
  const over = new AbortController();
  const late = clock.sleep(ms, signal ? AbortSignal.any([over.signal, signal]) : over.signal).then(() => {
    throw new Error(`it took longer than ${ms / 1000} s`);
  });
  // Also when the work wins.
  late.catch(() => {});
  const given = new AbortController();
  try {
    return await Promise.race([(async () => await work(given.signal))(), late]);
  } finally {
    over.abort();
    given.abort();
  }
}
