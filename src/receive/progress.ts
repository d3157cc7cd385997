import type { Writable } from 'node:stream';
import { sentence, WherryError } from '../domain/errors.ts';
import { foreignLine, plainText } from '../domain/plain-text.ts';
import type { Progress } from '../domain/push.ts';

/** Bytes that may wait for a slow client; lines beyond are left out, and said so. */
const longestQueue = 8 * 2 ** 20;

/** Lines with dokku's prefixes, which git shows behind `remote:`. */
export function createProgress(out: Writable): Progress {
  let leftOut = 0;
  const line = (prefix: string, text: string) => {
    if (!out.writable) return;
    if (out.writableLength > longestQueue) {
      leftOut += 1;
      return;
    }
    if (leftOut > 0) {
      out.write(` !     ${leftOut} lines were left out: the connection is too slow.\n`);
      leftOut = 0;
    }
    out.write(`${prefix}${text}\n`);
  };
  const lines = (prefix: string) => (text: string) => {
    const shown = prefix === '' ? foreignLine(text) : plainText(text);
    for (const part of shown.replace(/\n+$/, '').split('\n')) line(prefix, part);
  };
  return {
    header: lines('=====> '),
    step: lines('-----> '),
    detail: lines('       '),
    warn: lines(' !     '),
    raw: lines(''),
  };
}

/** A failure's sentence and its hint. */
export function tellFailure(progress: Pick<Progress, 'warn'>, error: unknown): void {
  progress.warn(sentence(error));
  if (error instanceof WherryError && error.hint !== undefined) progress.warn(error.hint);
}
