export type TerminalSize = { readonly rows: number; readonly columns: number };

/** Somebody's terminal at the other end of a connection. */
export type Terminal = {
  /** As in TERM, for example `xterm-256color`. */
  readonly term: string;
  readonly size: TerminalSize;
  onResize(listener: (size: TerminalSize) => void): void;
  /** From now on a program of the app draws on it: lines and keys go through as they are. */
  takeOver(): void;
};

const mostCells = 10_000;

/** A size as a client tells it, made one that a terminal can have. */
export function terminalSize({ rows, columns }: Partial<Record<keyof TerminalSize, unknown>>): TerminalSize {
  const within = (cells: unknown, usual: number) =>
    Math.min(Math.max(1, (Number.isInteger(cells) && Number(cells)) || usual), mostCells);
  return { rows: within(rows, 24), columns: within(columns, 80) };
}

/** The name of a kind of terminal as a client tells it; it becomes TERM of a program. */
export function terminalName(term: unknown): string {
  return typeof term === 'string' && /^[\w.+-]{1,60}$/.test(term) ? term : 'xterm';
}
