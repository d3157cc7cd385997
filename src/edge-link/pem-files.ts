import { chmod, chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ids } from './user.ts';

/** Gives the edge certificates with their keys, each a file of the folder `tls` that it may read and nobody may change but root. */
export class PemFiles {
  readonly #dir: string;
  readonly #user: () => Ids | undefined;
  #known: ReadonlySet<string> | undefined;

  constructor(dir: string, user: () => Ids | undefined) {
    this.#dir = join(dir, 'tls');
    this.#user = user;
  }

  /** Makes sure that there is a file for each. @param pem the chain and the key of one that has none yet */
  async add(ids: readonly string[], pem: (id: string) => string | undefined): Promise<void> {
    const known = await this.#list();
    for (const id of ids) {
      const text = known.has(id) ? undefined : pem(id);
      if (text !== undefined) await this.#write(id, text);
    }
    this.#known = new Set([...known, ...ids]);
  }

  /** Removes all others: once the edge was told that they are gone. */
  async keep(ids: readonly string[]): Promise<void> {
    const wanted = new Set(ids);
    for (const id of await this.#list())
      if (!wanted.has(id)) await rm(join(this.#dir, `${id}.pem`), { force: true });
    this.#known = wanted;
  }

  async #list(): Promise<ReadonlySet<string>> {
    this.#known ??= await this.#read();
    return this.#known;
  }

  async #read(): Promise<ReadonlySet<string>> {
    const user = this.#user();
    await mkdir(this.#dir, { recursive: true, mode: 0o750 });
    if (user) await chown(this.#dir, 0, user.gid);
    await chmod(this.#dir, 0o750);
    const names = await readdir(this.#dir);
    return new Set(names.filter(name => name.endsWith('.pem')).map(name => name.slice(0, -'.pem'.length)));
  }

  async #write(id: string, text: string): Promise<void> {
    const file = join(this.#dir, `${id}.pem`);
    const user = this.#user();
    await writeFile(`${file}.new`, text, { mode: user ? 0o640 : 0o600 });
    if (user) await chown(`${file}.new`, 0, user.gid);
    await rename(`${file}.new`, file);
  }
}
