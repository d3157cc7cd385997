import { appendFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccessLine, DroppedLines } from '../domain/access-line.ts';

export type AccessLogOptions = {
  readonly dir: string;
  /** Characters that wait for the disk at most, of all apps together. */
  readonly maxQueued?: number;
  /** Bytes after which an app's file is put aside; one that was put aside is kept. */
  readonly maxFile?: number;
  /** Puts text at the end of a file. */
  readonly append?: (file: string, text: string) => Promise<void>;
};

type Queue = { text: string; dropped: number };

const interval = 500;

/** The apps' access logs, a file each: lines wait in memory and are written in batches, so that no request waits for the disk. */
export class AccessLog {
  /** Lines lost in all because the disk was too slow or full. */
  dropped = 0;
  readonly #dir: string;
  readonly #maxQueued: number;
  readonly #maxFile: number;
  readonly #append: (file: string, text: string) => Promise<void>;
  readonly #queues = new Map<string, Queue>();
  readonly #timer: NodeJS.Timeout;
  #apps: ReadonlySet<string> | undefined;
  #queued = 0;
  #writing: Promise<void> | undefined;

  constructor(options: AccessLogOptions) {
    this.#dir = options.dir;
    this.#maxQueued = options.maxQueued ?? 4 << 20;
    this.#maxFile = options.maxFile ?? 4 << 20;
    this.#append = options.append ?? ((file, text) => appendFile(file, text, { mode: 0o640 }));
    this.#timer = setInterval(() => void this.flush(), interval);
    this.#timer.unref();
  }

  /** Makes the folder, where control has not. */
  async open(): Promise<void> {
    await mkdir(this.#dir, { mode: 0o700 }).catch(() => {});
  }

  add(app: string, line: AccessLine): void {
    const queue = this.#queueOf(app);
    if (this.#queued >= this.#maxQueued) {
      queue.dropped++;
      this.dropped++;
      return;
    }
    this.#put(queue, line);
  }

  /** Removes the files of apps that are gone. */
  async keep(apps: ReadonlySet<string>): Promise<void> {
    const known = this.#apps ?? new Set((await readdir(this.#dir).catch(() => [])).map(appOf));
    this.#apps = apps;
    await this.#writing;
    for (const app of known) {
      if (apps.has(app)) continue;
      for (const file of [this.#fileOf(app), `${this.#fileOf(app)}.old`]) await rm(file, { force: true });
    }
  }

  /** Writes all that waits. */
  flush(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.flush();
  }

  #queueOf(app: string): Queue {
    const known = this.#queues.get(app);
    if (known) return known;
    const fresh = { text: '', dropped: 0 };
    this.#queues.set(app, fresh);
    return fresh;
  }

  #put(queue: Queue, line: AccessLine | DroppedLines): void {
    const text = `${JSON.stringify(line)}\n`;
    queue.text += text;
    this.#queued += text.length;
  }

  async #writeAll(): Promise<void> {
    for (const [app, queue] of [...this.#queues]) {
      if (queue.dropped > 0) this.#put(queue, { at: new Date().toISOString(), dropped: queue.dropped });
      this.#queues.delete(app);
      if (!this.#isGone(app))
        await this.#write(app, queue).catch(() => {
          this.dropped += queue.text.split('\n').length - 1;
        });
      this.#queued -= queue.text.length;
    }
  }

  /** The last answers of an app that is gone end after its file was removed. */
  #isGone(app: string): boolean {
    return this.#apps !== undefined && !this.#apps.has(app);
  }

  async #write(app: string, { text }: Queue): Promise<void> {
    const file = this.#fileOf(app);
    // Looked up each time: other edge processes write to it, and put it aside, too.
    if ((await sizeOf(file)) > this.#maxFile) await rename(file, `${file}.old`).catch(() => {});
    await this.#append(file, text);
  }

  #fileOf(app: string): string {
    return join(this.#dir, `${app}.log`);
  }
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

function appOf(name: string): string {
  return name.replace(/\.log(?:\.old)?$/, '');
}
