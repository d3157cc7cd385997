import { mkdirSync } from 'node:fs';
import { appendFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { plainLine } from '../domain/plain-text.ts';
import type { Clock } from '../system/clock.ts';
import { instancePrefix, shortType } from './instance-name.ts';
import type { LogLine, LogQuery } from './runtime.ts';

/** Files of ended instances that are kept per app. */
const keptFiles = 20;
const ownLimit = 2 ** 20;
const tailBlock = 256 * 1024;
const followBlock = 4 * 2 ** 20;
const followPause = 200;
/** Characters; a longer line is shown in several, so that one without end costs no memory. */
const longestLine = 2 ** 18;

/**
 * An app's log is a folder of files in the CRI format (`<RFC 3339> <stream> <F|P> text`), one per instance, kept after it ends,
 * and `wherry.log` with the platform's own words. Reading merges them by time.
 */
export function createLogFiles(options: { dir: string; clock: Clock }) {
  const folder = (app: string) => join(options.dir, app);

  return {
    /** The platform's own line in the app's log. */
    async say(app: string, text: string): Promise<void> {
      const file = join(folder(app), 'wherry.log');
      await mkdir(folder(app), { recursive: true });
      const { size } = await stat(file).catch(() => ({ size: 0 }));
      if (size > ownLimit) await rename(file, `${file}.old`);
      await appendFile(file, `${options.clock.now().toISOString()} stdout F ${plainLine(text)}\n`);
    },
    ensure: (app: string): void => void mkdirSync(folder(app), { recursive: true, mode: 0o755 }),
    remove: (app: string): Promise<void> => rm(folder(app), { recursive: true, force: true }),
    /** The last lines of one instance, as text. */
    async lastWords(file: string, count = 50): Promise<string[]> {
      const { lines } = await readTail(file, { count, dyno: 'x' });
      return lines.map(line => line.text);
    },
    /** Deletes the oldest files of instances that are gone. */
    async prune(app: string, living: ReadonlySet<string>): Promise<void> {
      const files = (await logFilesIn(folder(app))).filter(
        file => !living.has(file) && !file.includes('/wherry.log'),
      );
      const aged = await Promise.all(
        files.map(async file => ({ file, at: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0 })),
      );
      aged.sort((a, b) => b.at - a.at);
      await Promise.all(aged.slice(keptFiles).map(({ file }) => rm(file, { force: true })));
    },
    read: (app: string, query: LogQuery): AsyncIterable<LogLine> =>
      readLog(folder(app), query, options.clock),
  };
}

async function* readLog(folder: string, query: LogQuery, clock: Clock): AsyncIterable<LogLine> {
  const seen = new Map<string, Pick<Read, 'end' | 'open'>>();
  const past: LogLine[] = [];
  const keeps = keeper(query);
  for (const file of await logFilesIn(folder)) {
    const dyno = dynoOfFile(file);
    if (!matches(dyno, query.type) || !isOf(file, query.version)) continue;
    const read = await readTail(file, {
      count: query.lines,
      dyno,
      keeps,
      since: query.since,
      show: query.show,
    });
    seen.set(file, read);
    past.push(...read.lines);
  }
  past.sort(byTime);
  yield* query.lines === 0 ? [] : past.slice(-query.lines);
  while (query.follow && !query.signal?.aborted) {
    const fresh: LogLine[] = [];
    for (const file of await logFilesIn(folder)) {
      const dyno = dynoOfFile(file);
      if (!matches(dyno, query.type) || !isOf(file, query.version)) continue;
      const read = await readFrom(file, seen.get(file) ?? { end: 0, open: new Map() }, dyno);
      seen.set(file, read);
      fresh.push(...shownAs(read.lines, query.show).filter(keeps));
    }
    yield* fresh.sort(byTime);
    try {
      await clock.sleep(followPause, query.signal);
    } catch {
      return;
    }
  }
}

function byTime(a: LogLine, b: LogLine): number {
  return a.at.getTime() - b.at.getTime();
}

function matches(dyno: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  const [, type = '', index = ''] = /^(.*?)(\.\d+)?$/.exec(wanted) ?? [];
  const named = index === '' ? dyno.replace(/\.\d+$/, '') : dyno;
  return named === `${shortType(type)}${index}`;
}

async function logFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names
    .filter(name => name.endsWith('.log') || name.endsWith('.log.old'))
    .map(name => join(folder, name));
}

/** `app/app.web.1.v3-a1b2c3.log` -> `web.1`. App and type may have dots in their names; files of before a rename have the old one. */
function dynoOfFile(file: string): string {
  const prefix = instancePrefix(basename(dirname(file)));
  const name = basename(file);
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : name.slice(name.indexOf('.') + 1);
  return /^(.+\.\d+)\.v\d+-[0-9a-f]+\.log$/.exec(rest)?.[1] ?? 'wherry';
}

/** Lines whose end has not come yet, by their stream. */
type Open = Map<string, { readonly at: Date; readonly text: string }>;
type Read = { readonly lines: LogLine[]; readonly end: number; readonly open: Open };

/** The last `count` lines of those that are wanted, and where the file ends now. */
function readTail(
  file: string,
  wanted: {
    readonly count: number;
    readonly dyno: string;
    readonly keeps?: (line: LogLine) => boolean;
    readonly since?: Date | undefined;
    readonly show?: ((text: string) => string) | undefined;
  },
): Promise<Read> {
  const { count, dyno, keeps = () => true, since, show } = wanted;
  return withFile(file, async (handle, size) => {
    for (let block = tailBlock; ; block *= 4) {
      const start = Math.max(0, size - block);
      const text = await readPart(handle, start, size);
      const whole = start === 0 ? text : text.slice(text.indexOf('\n') + 1);
      const end = size - (text.length - text.lastIndexOf('\n') - 1);
      const open: Open = new Map();
      const all = shownAs(parseLines(whole, dyno, open), show);
      const lines = all.filter(keeps);
      const [first] = all;
      // What is before it is older still.
      const enough =
        lines.length >= count || (since !== undefined && first !== undefined && first.at < since);
      if (enough || start === 0) return { lines: count === 0 ? [] : lines.slice(-count), end, open };
    }
  });
}

function shownAs(lines: LogLine[], show: LogQuery['show']): LogLine[] {
  return show ? lines.map(line => ({ ...line, text: show(line.text) })) : lines;
}

function keeper({ since, contains }: LogQuery): (line: LogLine) => boolean {
  return line =>
    (since === undefined || line.at >= since) && (contains === undefined || line.text.includes(contains));
}

/** Whether the file is of an instance of that release. */
function isOf(file: string, version: number | undefined): boolean {
  return version === undefined || basename(file).includes(`.v${version}-`);
}

/** Whole lines after what was seen; from the start when the file was begun anew in between. */
function readFrom(file: string, seen: Pick<Read, 'end' | 'open'>, dyno: string): Promise<Read> {
  return withFile(file, async (handle, size) => {
    const anew = size < seen.end;
    const start = anew ? 0 : seen.end;
    const open: Open = anew ? new Map() : seen.open;
    if (size === start) return { lines: [], end: start, open };
    const text = await readPart(handle, start, Math.min(size, start + followBlock));
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return { lines: parseLines(whole, dyno, open), end: start + whole.length, open };
  });
}

/** A file that is gone has no lines. */
async function withFile(file: string, read: (handle: Handle, size: number) => Promise<Read>): Promise<Read> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return { lines: [], end: 0, open: new Map() };
  try {
    return await read(handle, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

async function readPart(handle: Handle, start: number, end: number): Promise<string> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
  // latin1 keeps one character a byte, so that offsets count; the text is decoded line by line.
  return buffer.subarray(0, bytesRead).toString('latin1');
}

/** Parses CRI lines; `P` parts are joined with what follows on their stream, up to a length. What has no time is no line, as after a crash. */
export function parseLines(text: string, dyno: string, open: Open = new Map()): LogLine[] {
  const lines: LogLine[] = [];
  for (const raw of text.split('\n')) {
    // Of a progress bar, a line may hold carriage returns.
    const [, stamp = '', stream = '', tag, rest = ''] =
      /^(\S+) (stdout|stderr) ([FP]) ?(.*)$/s.exec(raw) ?? [];
    const at = new Date(stamp);
    if (Number.isNaN(at.getTime())) continue;
    const before = open.get(stream);
    const line = { at: before?.at ?? at, text: (before?.text ?? '') + rest };
    if (tag === 'P' && line.text.length < longestLine) {
      open.set(stream, line);
      continue;
    }
    open.delete(stream);
    lines.push({
      at: line.at,
      dyno,
      stream: stream as LogLine['stream'],
      text: Buffer.from(line.text.replace(/\r$/, ''), 'latin1').toString('utf8'),
    });
  }
  return lines;
}
