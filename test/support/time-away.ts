import { until } from './until.ts';
import type { Wherry } from './wherry.ts';

/** Milliseconds from a blow at the edge until the app `bench` answers again, over new connections. */
export async function timeAway(wherry: Wherry, blow: () => void): Promise<number> {
  const answers = () =>
    wherry.get('bench').then(
      ({ status }) => status === 200,
      () => false,
    );
  blow();
  const begun = performance.now();
  await until('the first refusal', async () => !(await answers()), { every: 1 });
  await until('an answer', answers, { every: 3 });
  return performance.now() - begun;
}
