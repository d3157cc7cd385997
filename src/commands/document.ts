/** A document with what is between its markers made new; undefined when it has none. `name` is in `<!-- name:start -->`. */
export function between(document: string, name: string, text: string): string | undefined {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from < 0 || to < from) return undefined;
  return `${document.slice(0, from + start.length)}\n${text}\n${document.slice(to)}`;
}
