import type { Restic } from './restic.ts';

/** A backup, as restic lists it. */
export type Snapshot = {
  readonly id: string;
  readonly shortId: string;
  readonly at: Date;
  readonly host: string;
  /** Which Wherry it is of. */
  readonly source: string | undefined;
  readonly paths: readonly string[];
};

type Row = { id: string; short_id: string; time: string; hostname: string; tags?: string[]; paths: string[] };

/** Marks all that Wherry makes, and what of it is of one Wherry. */
export const tag = 'wherry';
export const tagOf = (source: string): string => `${tag}-${source}`;

/** Oldest first. Without a lock: a host that died in the middle may have left its own. */
export async function listSnapshots(restic: Restic, signal?: AbortSignal): Promise<readonly Snapshot[]> {
  const said = await restic.run(['snapshots', '--no-lock', '--tag', tag], { signal, timeout: 300_000 });
  const rows = (JSON.parse(said || '[]') ?? []) as Row[];
  return rows
    .map(row => ({
      id: row.id,
      shortId: row.short_id,
      at: new Date(row.time),
      host: row.hostname,
      source: row.tags?.find(each => each.startsWith(`${tag}-`))?.slice(tag.length + 1),
      paths: row.paths,
    }))
    .sort((a, b) => a.at.getTime() - b.at.getTime());
}
