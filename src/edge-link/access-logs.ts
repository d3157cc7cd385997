// Reads what the edge writes. The edge is not trusted: its folder cannot be replaced by it, no link of its making is
// followed, and what is no line is left out.
import { constants, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccessLine, DroppedLines } from '../domain/access-line.ts';
import type { Clock } from '../system/clock.ts';
import { edgeFiles } from './folder.ts';

export type AccessLogQuery = {
  /** The last so many of what is there. */
  readonly lines: number;
  /** Goes on with new ones until the signal. */
  readonly follow: boolean;
  readonly signal?: AbortSignal;
};

export interface AccessLogs {
  /** What an app has logged stays with it under its new name. */
  rename(from: string, to: string): void;
  /** When an app was last asked for, in milliseconds; 0 when that is not known. */
  lastLine(app: string): number;
  read(app: string, query: AccessLogQuery): AsyncIterable<AccessLine | DroppedLines>;
}

const maxRead = 8 << 20;
const followPause = 500;

export function createAccessLogs({ dir, clock }: { dir: string; clock: Clock }): AccessLogs {
  return {
    rename(from, to) {
      const { access } = edgeFiles(dir);
      // The edge may have begun a file for the new name, and goes on with the old one until its next line.
      const current = join(access, `${to}.log`);
      const target = existsSync(current) ? `${current}.old` : current;
      const source = join(access, `${from}.log`);
      if (existsSync(source)) renameSync(source, target);
      rmSync(`${source}.old`, { force: true });
    },
    lastLine: app =>
      statSync(join(edgeFiles(dir).access, `${app}.log`), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    async *read(app, { lines, follow, signal }) {
      const file = join(edgeFiles(dir).access, `${app}.log`);
      const older = await readPart(`${file}.old`);
      let seen = await readPart(file);
      if (lines > 0) yield* [...older.lines, ...seen.lines].slice(-lines);
      while (follow && !signal?.aborted) {
        try {
          await clock.sleep(followPause, signal);
        } catch {
          return;
        }
        const next = await readPart(file, seen);
        // Put aside meanwhile: the rest of the old file comes first.
        if (next.inode !== seen.inode && seen.inode !== 0) {
          const rest = await readPart(`${file}.old`, seen);
          if (rest.inode === seen.inode) yield* rest.lines;
        }
        yield* next.lines;
        seen = next;
      }
    },
  };
}

type Part = {
  readonly lines: readonly (AccessLine | DroppedLines)[];
  readonly inode: number;
  readonly end: number;
};

const nothing: Part = { lines: [], inode: 0, end: 0 };

/** The whole lines behind what was read before, or the end of the file when it is another one. */
async function readPart(file: string, before: Part = nothing): Promise<Part> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch(() => undefined);
  if (!handle) return nothing;
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.nlink !== 1) return nothing;
    const from = stats.ino === before.inode && stats.size >= before.end ? before.end : 0;
    return {
      ...(await readLines(handle, Math.max(from, stats.size - maxRead), stats.size)),
      inode: stats.ino,
    };
  } finally {
    await handle.close();
  }
}

async function readLines(handle: FileHandle, start: number, size: number): Promise<Omit<Part, 'inode'>> {
  const buffer = Buffer.alloc(size - start);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
  const whole = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
  const lines = buffer.toString('utf8', 0, whole).split('\n').flatMap(parsed);
  return { lines, end: start + whole };
}

function parsed(text: string): (AccessLine | DroppedLines)[] {
  try {
    const value = JSON.parse(text) as Partial<Record<string, unknown>> | null;
    if (typeof value?.['at'] !== 'string') return [];
    if (typeof value['dropped'] === 'number') return [value as unknown as DroppedLines];
    return isLine(value) ? [value as unknown as AccessLine] : [];
  } catch {
    return [];
  }
}

function isLine(value: Partial<Record<string, unknown>>): boolean {
  const texts = ['client', 'method', 'host', 'path', 'protocol', 'requestId'];
  const optionalTexts = ['referer', 'agent', 'reason', 'instance'];
  const numbers = ['status', 'bytesIn', 'bytesOut'];
  return (
    texts.every(name => typeof value[name] === 'string') &&
    optionalTexts.every(name => value[name] === undefined || typeof value[name] === 'string') &&
    numbers.every(name => typeof value[name] === 'number') &&
    typeof value['ms'] === 'object'
  );
}
