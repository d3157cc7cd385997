import type { Buildpack } from './buildpack.ts';
import type { Verdict } from './resolve.ts';

/**
 * Asks the buildpacks in their order, some at the same time: answers of later groups are there when they are wanted. `stop`
 * ends what is still running, through the signal, once no more answers are.
 */
export function askAhead(
  buildpacks: readonly Buildpack[],
  ask: (buildpack: Buildpack, signal: AbortSignal) => Promise<Verdict>,
  atOnce: number,
) {
  const stopped = new AbortController();
  const waiting: (() => void)[] = [];
  let room = atOnce;
  const inTurn = async (buildpack: Buildpack): Promise<Verdict> => {
    if (room > 0) room -= 1;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      stopped.signal.throwIfAborted();
      return await ask(buildpack, stopped.signal);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else room += 1;
    }
  };
  const answers = new Map([...new Set(buildpacks)].map(buildpack => [buildpack, inTurn(buildpack)]));
  // Whoever wants an answer hears of its trouble; nobody may.
  for (const answer of answers.values()) answer.catch(() => {});
  return {
    answer: (buildpack: Buildpack): Promise<Verdict> | undefined => answers.get(buildpack),
    async stop(): Promise<void> {
      stopped.abort();
      await Promise.allSettled(answers.values());
    },
  };
}
