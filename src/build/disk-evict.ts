import { readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiffId } from '../domain/image.ts';
import type { Clock } from '../system/clock.ts';
import { list } from '../system/list.ts';
import type { Paths } from '../system/paths.ts';
import type { LayerStore } from './layers/store.ts';

export type EvictOptions = {
  readonly paths: Pick<Paths, 'cache' | 'builds'>;
  readonly layers: LayerStore;
  readonly clock: Clock;
  /** Asked before each thing that goes. */
  readonly enough: () => boolean;
};

/** Milliseconds. Whoever uses something notes it within an hour, and no build takes a day. */
const day = 86_400_000;

/** What dead processes left in the shared cache: half-made stacks, downloads, fetches. All of it: nobody can use it. */
export async function dropLeftovers({ paths, clock }: EvictOptions): Promise<void> {
  const homes: readonly (readonly [string, RegExp])[] = [
    ['tmp', /./],
    ['runtimes', /^npm-/],
    ['buildpacks', /^fetch-/],
    ['layers', /^(put|gone)-/],
  ];
  const before = clock.now().getTime() - day;
  const old = homes.flatMap(([home, names]) =>
    list(join(paths.cache, home))
      .filter(name => names.test(name))
      .map(name => join(paths.cache, home, name))
      .filter(path => changedAt(path) < before),
  );
  for (const path of old) await rm(path, { recursive: true, force: true });
}

/** Runtimes and buildpacks of the shared cache that nothing on the host has used for a day, the longest unused first. */
export async function dropShared(
  { paths, layers, clock, enough }: EvictOptions,
  inUse: ReadonlySet<DiffId>,
): Promise<void> {
  const stacks = namedIn(join(paths.cache, 'stacks'));
  const before = clock.now().getTime() - day;
  for (const { id, usedAt } of layers.shared()) {
    if (enough()) return;
    if (usedAt.getTime() < before && !inUse.has(id) && !stacks.has(id)) await layers.removeShared([id]);
  }
}

/** Files of an app's folder that only make its next build quicker. What its buildpacks are held at is none of them. */
const caches = ['record.json', 'classic.json', 'image.json', 'containers'];

/**
 * What apps keep for their next build, the one built longest ago first; those of the last day only when there is `need`. An
 * app that is being built is left alone.
 */
export async function dropAppCaches(
  { paths, clock, enough }: EvictOptions,
  { need, collect }: { need: boolean; collect: () => Promise<void> },
): Promise<void> {
  const before = need ? Number.POSITIVE_INFINITY : clock.now().getTime() - day;
  const idle = list(paths.builds)
    .filter(app => !app.startsWith('.'))
    .map(app => join(paths.builds, app))
    .map(dir => ({ dir, at: Math.max(...caches.map(name => changedAt(join(dir, name)))) }))
    .filter(({ at }) => at > 0 && at < before)
    .sort((a, b) => a.at - b.at);
  for (const { dir } of idle) {
    if (enough()) return;
    // Asked again for each: a build may have begun meanwhile.
    if (list(dir).some(name => name.startsWith('work-'))) continue;
    for (const name of caches) await rm(join(dir, name), { recursive: true, force: true });
    await collect();
  }
}

/** Every layer that a file below the folder names: what stacks are made of, and what the host's releases hold of them. */
function namedIn(dir: string): ReadonlySet<string> {
  const files = list(dir, { recursive: true }).filter(name => name.endsWith('.json'));
  return new Set(
    files.flatMap(name => readFileSync(join(dir, name), 'utf8').match(/sha256:[0-9a-f]{64}/g) ?? []),
  );
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
