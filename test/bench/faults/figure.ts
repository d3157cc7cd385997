import type { Wherry } from '../../support/wherry.ts';
import type { Row } from '../report.ts';

/** One promise, measured while things break. A file of this folder each; `faults.ts` names them all. */
export type Figure = {
  /** How often it is done in a run that counts. */
  readonly size: number;
  /** What the size is a number of. */
  readonly counts: string;
  /** What the daemon is started with. */
  readonly env?: Readonly<Record<string, string>>;
  readonly measure: (wherry: Wherry, asked: Asked) => Promise<Measured>;
};

export type Asked = { readonly size: number; readonly random: () => number };

export type Measured = {
  readonly rows: readonly Row[];
  readonly metrics: Readonly<Record<string, number>>;
  /** What must not be, each in a sentence. */
  readonly wrongs: readonly string[];
};
