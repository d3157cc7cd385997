import { WherryError } from '../domain/errors.ts';
import { ByteReader } from './byte-reader.ts';
import type { Git, GitProcess } from './git.ts';

export type ObjectHeader = { readonly oid: string; readonly type: string; readonly size: number };

/**
 * Reads a repository's objects through one `git cat-file --batch`, run as git's user: packs of any size in bounded
 * memory, and no attribute, filter or configuration of the repository has a say in what comes out.
 * Requests may be many at once; answers come in their order, each a header and then its bytes.
 */
export class ObjectReader {
  readonly #child: GitProcess;
  readonly #reader: ByteReader;

  constructor(git: Git, options: { repo: string; quarantine?: string | undefined; signal?: AbortSignal }) {
    const child = git.start(['cat-file', '--batch'], { ...options, stdio: ['pipe', 'pipe', 'ignore'] });
    if (!child.stdout) throw new Error('git has no output');
    this.#child = child;
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    this.#reader = new ByteReader(child.stdout);
    if (options.signal?.aborted) this.close();
    const close = () => this.close();
    options.signal?.addEventListener('abort', close, { once: true });
    child.once('exit', () => options.signal?.removeEventListener('abort', close));
  }

  ask(oids: readonly string[]): void {
    if (oids.length > 0) this.#child.stdin?.write(`${oids.join('\n')}\n`);
  }

  /** The next answer's header. @throws not-found when the repository lacks it */
  async next(): Promise<ObjectHeader> {
    const line = await this.#reader.line();
    const [oid = '', type = '', size = ''] = line.split(' ');
    if (type === 'missing' || !/^\d+$/.test(size)) {
      throw new WherryError(
        'not-found',
        `Object ${oid.slice(0, 12)} is not in the repository. Push it again.`,
      );
    }
    return { oid, type, size: Number(size) };
  }

  async body(header: ObjectHeader): Promise<Buffer> {
    const body = await this.#reader.bytes(header.size);
    await this.#reader.bytes(1);
    return body;
  }

  async pour(header: ObjectHeader, use: (part: Buffer) => unknown): Promise<void> {
    await this.#reader.pour(header.size, use);
    await this.#reader.bytes(1);
  }

  async read(oid: string): Promise<{ type: string; body: Buffer }> {
    this.ask([oid]);
    const header = await this.next();
    return { type: header.type, body: await this.body(header) };
  }

  close(): void {
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    this.#child.kill('SIGKILL');
  }
}
