import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { foreignLine, plainText } from '../domain/plain-text.ts';
import type { Progress } from '../domain/push.ts';
import type { Clock } from '../system/clock.ts';
import { unlessDiskRefuses } from '../system/disk-trouble.ts';
import { list } from '../system/list.ts';

/** Bytes kept of one build's output; its beginning, for the end is told by its record. */
const mostBytes = 2 ** 20;

/** Milliseconds between two looks at a file that grows. */
const pause = 100;

/** Progress that is also written to `file`, line by line as a push shows it. */
export function logProgress(progress: Progress, file: string): Progress {
  let left = mostBytes;
  let isMissing = false;
  const write = (prefix: string, text: string): void => {
    if (left <= 0) return;
    const lines = (prefix === '' ? foreignLine(text) : plainText(text))
      .replace(/\n+$/, '')
      .split('\n')
      .map(line => `${prefix}${line}\n`);
    const bytes = Buffer.from(lines.join(''));
    left -= bytes.length;
    const cut = ` !     The log of this build ends here: it keeps ${mostBytes} bytes.\n`;
    const gap = isMissing ? ' !     Lines are missing here: the disk did not take them.\n' : '';
    // Nobody who prints stands ready for an error, and a build can do without its log.
    isMissing = !unlessDiskRefuses(() => appendFileSync(file, `${gap}${left > 0 ? bytes : cut}`));
  };
  const both = (kind: keyof Progress, prefix: string) => (text: string) => {
    progress[kind](text);
    write(prefix, text);
  };
  return {
    header: both('header', '=====> '),
    step: both('step', '-----> '),
    detail: both('detail', '       '),
    warn: both('warn', ' !     '),
    raw: both('raw', ''),
  };
}

/** Makes the log of a build, empty. */
export function startLog(dir: string, number: number): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, `${number}.log`);
  writeFileSync(file, '', { mode: 0o600 });
  return file;
}

export function pruneLogs(dir: string, kept: readonly number[]): void {
  const names = new Set(kept.map(number => `${number}.log`));
  for (const name of list(dir)) if (!names.has(name)) rmSync(join(dir, name), { force: true });
}

/** The lines of a log from its beginning, and new ones while `goesOn`. Ends, without an error, when aborted. */
export async function* readLog(options: {
  readonly file: string;
  readonly goesOn: () => boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): AsyncGenerator<string> {
  const { file, goesOn, clock, signal } = options;
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return;
  try {
    let rest: Buffer = Buffer.alloc(0);
    while (!signal.aborted) {
      // Asked before the read: what is written until it ends is read.
      const more = goesOn();
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536));
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const end = rest.lastIndexOf(10);
      if (end >= 0) yield* rest.subarray(0, end).toString('utf8').split('\n');
      rest = rest.subarray(end + 1);
      if (bytesRead > 0) continue;
      if (!more) return;
      await clock.sleep(pause, signal).catch(() => {});
    }
  } finally {
    await handle.close();
  }
}
