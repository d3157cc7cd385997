import { hostname } from 'node:os';
import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import type { Progress } from '../domain/push.ts';
import type { Restic } from './restic.ts';
import { tag, tagOf } from './snapshots.ts';

/** What went into a backup. */
export type Copied = {
  readonly id: string;
  readonly files: number;
  readonly newFiles: number;
  readonly changedFiles: number;
  /** Bytes that it restores to, and that were not there yet. */
  readonly size: number;
  readonly added: number;
  /** Files that went away, or could not be read, meanwhile. */
  readonly missed: readonly string[];
};

type Summary = {
  snapshot_id: string;
  files_new: number;
  files_changed: number;
  total_files_processed: number;
  total_bytes_processed: number;
  data_added: number;
};

/** Milliseconds between two lines that tell how far it is. */
const tellEvery = 5000;
/** Restic's way to say that it could not read everything. */
const incomplete = 3;

/** Sends what the file lists. Only what is not there yet goes. */
export async function copyFiles(
  restic: Restic,
  options: {
    readonly listFile: string;
    readonly source: string;
    /** The backup before, which says what did not change. */
    readonly parent: string | undefined;
    readonly progress: Progress;
    readonly signal: AbortSignal;
    readonly ticks: () => number;
  },
): Promise<Copied> {
  const { listFile, source, parent, progress, signal, ticks } = options;
  const missed: string[] = [];
  let summary: Summary | undefined;
  let told = ticks();
  const onLine = (line: Record<string, unknown>) => {
    if (line['message_type'] === 'summary') summary = line as unknown as Summary;
    if (line['message_type'] === 'error') missed.push(String(line['item'] ?? 'a file'));
    if (line['message_type'] !== 'status' || ticks() - told < tellEvery) return;
    told = ticks();
    const { bytes_done: done, total_bytes: all } = line as { bytes_done?: number; total_bytes?: number };
    progress.detail(`${formatBytes(done ?? 0)} of ${formatBytes(all ?? 0)}`);
  };
  const args = [
    ...['backup', '--files-from-verbatim', listFile, '--host', hostname()],
    ...['--tag', `${tag},${tagOf(source)}`],
    ...(parent === undefined ? [] : ['--parent', parent]),
  ];
  await restic.run(args, { onLine, signal, alsoGood: [incomplete] });
  if (summary === undefined) throw new WherryError('failed', 'restic ended without a word on the backup.');
  return {
    id: summary.snapshot_id,
    files: summary.total_files_processed,
    newFiles: summary.files_new,
    changedFiles: summary.files_changed,
    size: summary.total_bytes_processed,
    added: summary.data_added,
    missed,
  };
}
