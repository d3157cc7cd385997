const furthest = 2;

/** The name most like `text`, at most two typing mistakes away or with the same end (`app:list`, `list`); else none. */
export function nearName(text: string, names: readonly string[]): string | undefined {
  if (text.length > 60) return undefined;
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    const distance = editDistance(text, name);
    if (distance <= furthest && distance < (best?.distance ?? Infinity)) best = { name, distance };
  }
  return best?.name ?? names.find(name => name.endsWith(`:${text}`));
}

/** Levenshtein distance: letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...from].entries()) {
    const next = [at + 1];
    for (let place = 1; place <= to.length; place++) {
      const replace = (row[place - 1] ?? 0) + (to[place - 1] === letter ? 0 : 1);
      next.push(Math.min(replace, (row[place] ?? 0) + 1, (next[place - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
