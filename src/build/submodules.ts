import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { parseGitRemote } from '../domain/git-remote.ts';
import { type AppName, quoteForPeople } from '../domain/names.ts';
import type { Progress, Source, Submodule } from '../domain/push.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import { gitmodulesOf } from './fetch/gitmodules.ts';

const most = 50;

export type Filling = {
  readonly app: AppName;
  readonly source: Source;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

/**
 * Puts the files of submodules, and of theirs, into the empty folders that the checkout left for them: each at its commit, by
 * https, or ssh with the deploy key, under the guards of buildpacks, fetched once per host.
 * @throws build-failed for one that cannot be had so; access-denied, unavailable, not-found: the sentence names the submodule
 */
export async function fillSubmodules({ source, ...filling }: Filling, fetcher: Fetcher): Promise<void> {
  const room = { left: most };
  await fill(
    { dir: source.dir, below: '', base: source.origin, submodules: source.submodules ?? [] },
    { ...filling, fetcher, room },
  );
}

/** A folder with a repository's files, where it is in the app, and the URL that it came from where that is known. */
type Place = {
  readonly dir: string;
  readonly below: string;
  readonly base: string | undefined;
  readonly submodules: readonly Submodule[];
};
type Way = Omit<Filling, 'source'> & { readonly fetcher: Fetcher; readonly room: { left: number } };

async function fill({ dir, below, base, submodules }: Place, way: Way): Promise<void> {
  if (submodules.length === 0) return;
  const { app, fetcher, room, progress, signal } = way;
  const urls = await gitmodulesOf(dir, signal);
  for (const { path, commit } of submodules) {
    const shown = `${below}${path}`;
    room.left -= 1;
    if (room.left < 0)
      throw refused(`There are more than ${most} submodules. Commit the files of some in place of them.`);
    const url = urls.get(path);
    if (url === undefined) {
      progress.warn(
        `Submodule ${quoteForPeople(shown)} is left out: .gitmodules has no URL for it. Commit its files, or add it by "git submodule add".`,
      );
      continue;
    }
    const { href } = urlOf(shown, url, base);
    const from = { kind: 'git', text: href, url: href, ref: commit } as const;
    const how = { what: `submodule ${shown}`, app, pin: commit, renew: false, progress, signal };
    const got = await fetcher.fetch(from, how).catch(error => explain(shown, error));
    const target = join(dir, path);
    await cp(got.dir, target, { recursive: true, verbatimSymlinks: true });
    await fill({ dir: target, below: `${shown}/`, base: href, submodules: got.submodules }, way);
  }
}

function urlOf(path: string, url: string, base: string | undefined): URL {
  const submodule = `Submodule ${quoteForPeople(path)}`;
  const relative = /^\.\.?\//.test(url);
  if (relative && base === undefined)
    throw refused(
      `${submodule} comes from ${quoteForPeople(url)}, which is told by the place of the repository itself. Give its whole https URL in .gitmodules.`,
    );
  try {
    return parseGitRemote(relative ? new URL(url, `${base?.replace(/\/+$/, '')}/`).href : url);
  } catch (cause) {
    throw refused(
      `${submodule} comes from ${quoteForPeople(withoutLogin(url))}, which is not fetched. Give its https URL in .gitmodules, or git@HOST:PATH; for one that is not public, see git:auth and git:generate-deploy-key.`,
      cause,
    );
  }
}

function withoutLogin(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

function explain(path: string, error: unknown): never {
  if (!(error instanceof WherryError) || error.code === 'interrupted') throw error;
  const { hint } = error;
  throw new WherryError(error.code, `Submodule ${quoteForPeople(path)}: ${error.message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

function refused(message: string, cause?: unknown): WherryError {
  return new WherryError('build-failed', message, { cause });
}
