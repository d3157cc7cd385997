import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import { list } from '../../system/list.ts';

// What the shared cache knows of layers of Debian packages: a file each, named by what went in.

export type Part = {
  readonly layer: DiffId;
  /** Layers below it, lowest first. */
  readonly base: readonly DiffId[];
  readonly packages: readonly string[];
  /** Whether apt's own record is in it: then others may be installed on top. */
  readonly record: boolean;
  /** What the same packages were before they were renewed: layers that images may still have. */
  readonly former?: readonly DiffId[];
};

/** What a layer of packages is asked for by. */
export type PartRequest = Omit<Part, 'layer' | 'former'> & {
  /** For people. */
  readonly name: string;
  readonly suite: string | undefined;
};

export function partKey(part: Omit<Part, 'layer' | 'former'>, revision: number): string {
  const text = JSON.stringify([revision, part.base, part.packages, part.record]);
  return `packages-${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
}

/** undefined for one that is not known. `wanted` fills in what records of earlier versions lack. */
export function readPart(dir: string, key: string, wanted?: Omit<Part, 'layer'>): Part | undefined {
  try {
    const part = { ...wanted, ...(JSON.parse(readFileSync(join(dir, `${key}.json`), 'utf8')) as Part) };
    return Array.isArray(part.base) ? part : undefined;
  } catch {
    return undefined;
  }
}

export function writePart(dir: string, key: string, part: Part): void {
  mkdirSync(dir, { recursive: true });
  const draft = join(dir, `${key}.${process.pid}.tmp`);
  writeFileSync(draft, JSON.stringify(part));
  renameSync(draft, join(dir, `${key}.json`));
}

export function deletePart(dir: string, key: string): void {
  rmSync(join(dir, `${key}.json`), { force: true });
}

/** Every part by its key. */
export function partsIn(dir: string): ReadonlyMap<string, Part> {
  const keys = list(dir).flatMap(name => /^(packages-[0-9a-f]{24})\.json$/.exec(name)?.[1] ?? []);
  return new Map(
    keys.flatMap(key => {
      const part = readPart(dir, key);
      return part ? [[key, part] as const] : [];
    }),
  );
}
