/** Milliseconds. */
export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/**
 * Asks again until the answer is something; every wait is bounded. A throw of `ask` counts as "not yet".
 * @throws naming what was waited for, with the last error as its cause
 */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  { timeout = 20_000, every = 50 }: { timeout?: number; every?: number } = {},
): Promise<Answer> {
  const end = performance.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`Waited ${timeout} ms in vain for ${what}.`, { cause });
    await sleep(every);
  }
}
