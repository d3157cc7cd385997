/** A line for a person. An object has another form, or none, under `--quiet`. */
export type Line = string | { readonly text: string; readonly quiet: string | null };

/** `=====> My Apps`; dropped by `--quiet`. */
export const header = (text: string): Line => heading(`=====> ${text}`);
/** `-----> Scaling for blog`; dropped by `--quiet`. */
export const step = (text: string): Line => heading(`-----> ${text}`);
/** The head of a table; dropped by `--quiet`. */
export const heading = (text: string): Line => ({ text, quiet: null });
/** Indented by dokku's seven spaces. */
export const detail = (text: string): string => `       ${text}`;

/** What of it is printed. */
export function printed(lines: readonly Line[], quiet: boolean): string[] {
  return lines.flatMap(line => {
    if (typeof line === 'string') return [line];
    const text = quiet ? line.quiet : line.text;
    return text === null ? [] : [text];
  });
}

/** Rows as columns, two spaces apart; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  return rows.map(row =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** `KEY:  value`, keys padded to the longest. Values are not touched. */
export function keyValues(entries: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...entries.map(([key]) => key.length + 1));
  return entries.map(([key, value]) => `${`${key}:`.padEnd(width)}  ${value}`);
}
