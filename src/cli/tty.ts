import type { ReadStream, WriteStream } from 'node:tty';
import type { TerminalSize } from '../domain/terminal.ts';

/** The terminal that a person sits at. */
export type Tty = {
  readonly term: string | undefined;
  size(): TerminalSize;
  onResize(listener: () => void): void;
  offResize(listener: () => void): void;
  /** Every key goes to the program, control-C too. */
  makeRaw(): void;
  /** As it was; as often as one likes. */
  restore(): void;
};

type Ends = {
  readonly stdin: Pick<ReadStream, 'setRawMode'>;
  readonly stdout: Pick<WriteStream, 'rows' | 'columns'> & NodeJS.EventEmitter;
};

/** `stty` runs the program of that name on the terminal. */
export function createTty(
  { stdin, stdout }: Ends,
  { term, stty }: { readonly term: string | undefined; stty(args: readonly string[]): unknown },
): Tty {
  let raw = false;
  const setRaw = (wanted: boolean) => {
    if (raw !== wanted) stdin.setRawMode(wanted);
    raw = wanted;
  };
  return {
    term,
    size: () => ({ rows: stdout.rows, columns: stdout.columns }),
    onResize: listener => void stdout.on('resize', listener),
    offResize: listener => void stdout.off('resize', listener),
    makeRaw() {
      setRaw(true);
      // Node leaves a carriage return before every line feed, which would shift what a full-screen program draws.
      stty(['-opost']);
    },
    restore: () => setRaw(false),
  };
}
