import type { Readable } from 'node:stream';

const longestLine = 4096;

/** Reads lines and counted bytes from a stream, with its back-pressure. Every method rejects when the stream ends early. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Up to the next newline, without it. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) return this.#take(end + 1).toString('latin1', 0, end);
      if (this.#rest.length > longestLine) throw new Error('a line is too long');
      await this.#more();
    }
  }

  async bytes(count: number): Promise<Buffer> {
    if (this.#rest.length >= count) return this.#take(count);
    const parts: Buffer[] = [];
    await this.pour(count, part => {
      parts.push(part);
    });
    return Buffer.concat(parts);
  }

  /** Hands over `count` bytes in pieces. */
  async pour(count: number, use: (part: Buffer) => unknown): Promise<void> {
    let left = count;
    while (left > 0) {
      if (this.#rest.length === 0) await this.#more();
      const part = this.#take(Math.min(left, this.#rest.length));
      left -= part.length;
      await use(part);
    }
  }

  #take(count: number): Buffer {
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done) throw new Error('the stream ended early');
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
  }
}
