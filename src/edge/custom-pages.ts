import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from '../domain/route.ts';
import type { EdgeLog } from './log.ts';
import type { Page } from './pages.ts';
import type { AppRoute } from './routes.ts';

/** The pages that apps have of their own, read from the folder that control puts them into; in memory while a route names them. */
export class CustomPages {
  readonly #dir: string;
  readonly #log: EdgeLog;
  #texts: ReadonlyMap<string, string> = new Map();
  #latest: Snapshot | undefined;

  constructor(dir: string, log: EdgeLog) {
    this.#dir = dir;
    this.#log = log;
  }

  /** Until a page is read, the edge's own is in its place. */
  text(sum: string): string | undefined {
    return this.#texts.get(sum);
  }

  /** Reads what the routes name, and forgets the rest. */
  async sync(snapshot: Snapshot): Promise<void> {
    this.#latest = snapshot;
    const sums = new Set(snapshot.routes.flatMap(route => Object.values(route.pages ?? {})));
    const before = this.#texts;
    if (sums.size === 0 && before.size === 0) return;
    const read = await Promise.all(
      [...sums].map(async sum => [sum, before.get(sum) ?? (await this.#read(sum))] as const),
    );
    if (this.#latest === snapshot)
      this.#texts = new Map(read.flatMap(([sum, text]) => (text === undefined ? [] : [[sum, text]])));
  }

  async #read(sum: string): Promise<string | undefined> {
    if (!/^[0-9a-f]{64}$/.test(sum)) return undefined;
    try {
      return await readFile(join(this.#dir, `${sum}.html`), 'utf8');
    } catch (error) {
      this.#log.warn({ err: error, page: sum }, 'a page of an app cannot be read');
      return undefined;
    }
  }
}

/** The page in the app's own words, where it has some. One that opens the app by itself is not for it to replace. */
export function inOwnWords(page: Page, route: AppRoute): Page {
  if (!route.ownPage || page.refresh !== undefined) return page;
  const html = route.ownPage(page.reason === 'maintenance' ? 'maintenance' : String(page.status));
  return html === undefined ? page : { ...page, html };
}
