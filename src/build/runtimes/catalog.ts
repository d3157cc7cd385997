import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../system/clock.ts';

const listSchema = z.object({ at: z.number(), versions: z.array(z.string()).min(1) });
/** Milliseconds that a list is taken as current; that it is current even for who found nothing in it; that a failure counts. */
const fresh = 3_600_000;
const justNow = 60_000;
const failing = 600_000;

export type Asking = {
  /** Ask again unless it was done just now: what is known does not hold what is wanted. */
  readonly renew?: boolean;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Lists of versions that can be had, kept on disk. A push never waits for a newer list where there is one at all: an old one
 * is renewed beside it.
 */
export function createCatalog({ dir, clock }: { dir: string; clock: Clock }) {
  const failures = new Map<string, { readonly at: number; readonly error: unknown }>();
  const renewing = new Map<string, Promise<readonly string[]>>();
  const now = () => clock.now().getTime();

  const ask = async (name: string, fetch: () => Promise<readonly string[]>): Promise<readonly string[]> => {
    try {
      const versions = z
        .array(z.string())
        .min(1)
        .parse(await fetch());
      await write(fileOf(dir, name), { at: now(), versions });
      failures.delete(name);
      return versions;
    } catch (error) {
      failures.set(name, { at: now(), error });
      throw error;
    }
  };
  const askOnce = (name: string, fetch: () => Promise<readonly string[]>) => {
    const running = renewing.get(name);
    if (running) return running;
    const asked = ask(name, fetch).finally(() => renewing.delete(name));
    renewing.set(name, asked);
    return asked;
  };

  return {
    /** @throws what `fetch` throws, when nothing is known from before */
    async versions(
      name: string,
      fetch: () => Promise<readonly string[]>,
      renew = false,
    ): Promise<readonly string[]> {
      const known = await read(fileOf(dir, name));
      const age = known ? now() - known.at : Number.POSITIVE_INFINITY;
      if (known && age < (renew ? justNow : fresh)) return known.versions;
      const failure = failures.get(name);
      if (failure && now() - failure.at < failing) {
        if (known) return known.versions;
        throw failure.error;
      }
      const asked = askOnce(name, fetch);
      if (!known) return await asked;
      const instead = asked.catch(() => known.versions);
      return renew ? await instead : known.versions;
    },
  };
}

function fileOf(dir: string, name: string): string {
  return join(dir, `${name.replaceAll('/', '_')}.json`);
}

async function read(file: string): Promise<z.infer<typeof listSchema> | undefined> {
  try {
    return listSchema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

async function write(file: string, list: z.infer<typeof listSchema>): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, JSON.stringify(list));
  await rename(draft, file);
}
