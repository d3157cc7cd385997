import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { type AppName, quoteForPeople } from '../domain/names.ts';
import type { Progress, Source, Submodule } from '../domain/push.ts';
import { parseRemoteUrl } from '../domain/remote-url.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import { readGitmodules } from './fetch/gitmodules.ts';
import { readSmallFile } from './read-file.ts';

const most = 50;
const largestList = 64 * 1024;

export type Filling = {
  readonly app: AppName;
  readonly source: Source;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

/**
 * Puts the files of submodules into the empty folders that the checkout left for them: each at its commit, by https under the
 * guards of buildpacks, fetched once per host.
 * @throws build-failed for one that cannot be had so; access-denied, unavailable, not-found: the sentence names the submodule
 */
export async function fillSubmodules(
  { app, source, progress, signal }: Filling,
  fetcher: Fetcher,
): Promise<void> {
  const { submodules = [] } = source;
  if (submodules.length === 0) return;
  if (submodules.length > most)
    throw refused(
      `The repository has ${submodules.length} submodules; ${most} are allowed. Commit their files.`,
    );
  const text = readSmallFile(join(source.dir, '.gitmodules'), '.gitmodules', largestList);
  const named = text === undefined ? new Map<string, string>() : await readGitmodules(text, signal);
  for (const submodule of submodules) {
    const { path, commit } = submodule;
    const url = named.get(path);
    if (url === undefined) {
      progress.warn(
        `Submodule ${quoteForPeople(path)} is left out: .gitmodules has no URL for it. Commit its files, or add it by "git submodule add".`,
      );
      continue;
    }
    const { href } = urlOf(path, url);
    const from = { kind: 'git', text: href, url: href, ref: commit } as const;
    const how = { what: `submodule ${path}`, app, pin: commit, renew: false, progress, signal };
    const { dir } = await fetcher.fetch(from, how).catch(error => explain(submodule, error));
    await cp(dir, join(source.dir, path), { recursive: true, verbatimSymlinks: true });
    const inner = readSmallFile(join(dir, '.gitmodules'), `${path}/.gitmodules`, largestList);
    if (inner !== undefined)
      progress.warn(`Submodule ${quoteForPeople(path)} has submodules of its own, which are left out.`);
  }
}

function urlOf(path: string, url: string): URL {
  const submodule = `Submodule ${quoteForPeople(path)}`;
  if (/^\.\.?\//.test(url))
    throw refused(
      `${submodule} comes from ${quoteForPeople(url)}, which is told by the place of the repository itself. Give its whole https URL in .gitmodules.`,
    );
  try {
    return parseRemoteUrl(url);
  } catch (cause) {
    throw refused(
      `${submodule} comes from ${quoteForPeople(withoutLogin(url))}, which is not fetched. Give its https URL in .gitmodules; for one that is not public, see git:auth.`,
      cause,
    );
  }
}

function withoutLogin(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

function explain({ path }: Submodule, error: unknown): never {
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
