/**
 * Runs `work` for every item, at most `limit` at a time, and waits for all to settle, in order of the items: a caller that must
 * undo sees what was done even when one failed.
 */
export async function settleAll<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const results: PromiseSettledResult<Result>[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) {
      const [result] = await Promise.allSettled([work(items[at] as Item)]);
      results[at] = result as PromiseSettledResult<Result>;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** Throws the first failure, if there is one. */
export function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
