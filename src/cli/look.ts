type Ends = Readonly<Record<'stdout' | 'stderr', { readonly isTTY?: boolean }>>;
type Env = Readonly<Record<string, string | undefined>>;

/** How output may look where it goes. */
export type Look = {
  readonly color: boolean;
  /** Whether a line may be drawn and taken back while long work says nothing. */
  readonly ticker: boolean;
};

/** A person at a terminal gets both; NO_COLOR (no-color.org) takes colour away, FORCE_COLOR has it anywhere. */
export function lookOf(env: Env, { stdout, stderr }: Ends): Look {
  const onTerminal = stdout.isTTY === true && stderr.isTTY === true && env['TERM'] !== 'dumb';
  const { NO_COLOR: no, FORCE_COLOR: force } = env;
  if (force) return { color: force !== '0' && force !== 'false', ticker: onTerminal };
  return { color: onTerminal && !no, ticker: onTerminal };
}
