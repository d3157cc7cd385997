import type { Allowance } from './allowance.ts';
import { writeUntil } from './until-file.ts';

/** One app's lease, in memory and in its file. */
export class Line {
  readonly file: string;
  readonly allowance: Allowance;
  #until: number;
  #writing: Promise<void> = Promise.resolve();

  constructor(line: { file: string; allowance: Allowance; until: number }) {
    this.file = line.file;
    this.allowance = line.allowance;
    this.#until = line.until;
  }

  /** Unix milliseconds; 0 for none. */
  get until(): number {
    return this.#until;
  }

  /** At once for who asks, and on disk when this resolves. */
  async note(until: number): Promise<void> {
    if (until === this.#until) return;
    this.#until = until;
    this.#writing = this.settled().then(() => writeUntil(this.file, this.#until));
    await this.#writing;
  }

  /** Resolves when nothing is being written. How it went was told to who asked. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => {});
  }
}
