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
