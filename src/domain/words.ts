import { WherryError } from './errors.ts';

/** Longest command line that is split, in characters: room for a config value of a megabyte, quoted. */
export const longestCommand = 2 * 2 ** 20;

/**
 * Splits a command line into words by POSIX quoting, without a shell: single quotes, double quotes, backslash.
 * Nothing is expanded; `;`, `|`, `$` and the like are ordinary characters, and so are blanks that a shell does not split at.
 * @throws invalid for bytes that were no UTF-8, or a NUL; usage for an open quote, a lone trailing backslash or a line past `longestCommand`
 */
export function splitWords(line: string): string[] {
  if (line.length > longestCommand) {
    throw new WherryError('usage', 'The command is longer than 2 MiB. Send long values in several commands.');
  }
  if (line.includes('\0')) throw new WherryError('invalid', 'The command holds a NUL character. Remove it.');
  refuseNoUtf8(line, 'The command');
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    if (/[ \t\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    const piece = readPiece(line, at);
    word = (word ?? '') + piece.text;
    at = piece.end;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Bytes that are no UTF-8 have become U+FFFD before anybody sees them: kept, they would be other bytes. @throws invalid */
export function refuseNoUtf8(text: string, what: string): void {
  if (text.includes('\ufffd'))
    throw new WherryError(
      'invalid',
      `${what} holds bytes that are not UTF-8. Give such a value in UTF-8, or as base64 to config:set --encoded.`,
    );
}

type Piece = { readonly text: string; readonly end: number };

function readPiece(line: string, at: number): Piece {
  const char = line.charAt(at);
  if (char === "'") return readSingle(line, at);
  if (char === '"') return readDouble(line, at);
  if (char === '\\') return readEscaped(line, at);
  const plain = /[^ \t\n'"\\]+/y;
  plain.lastIndex = at;
  const text = plain.exec(line)?.[0] ?? '';
  return { text, end: at + text.length };
}

function readSingle(line: string, at: number): Piece {
  const close = line.indexOf("'", at + 1);
  if (close < 0) throw openQuote("'");
  return { text: line.slice(at + 1, close), end: close + 1 };
}

/** Inside double quotes a backslash escapes only `$`, a backquote, `"`, itself and a newline (which goes). */
function readDouble(line: string, at: number): Piece {
  const parts: string[] = [];
  let from = at + 1;
  const stop = /["\\]/g;
  for (;;) {
    stop.lastIndex = from;
    const found = stop.exec(line);
    if (!found) throw openQuote('"');
    parts.push(line.slice(from, found.index));
    if (found[0] === '"') return { text: parts.join(''), end: found.index + 1 };
    const next = line.charAt(found.index + 1);
    if (next !== '\n') parts.push('$`"\\'.includes(next) ? next : `\\${next}`);
    from = found.index + 2;
  }
}

function readEscaped(line: string, at: number): Piece {
  const next = line.charAt(at + 1);
  if (next === '')
    throw new WherryError('usage', 'The command ends with a lone backslash. Quote or remove it.');
  return { text: next === '\n' ? '' : next, end: at + 2 };
}

function openQuote(quote: string): WherryError {
  return new WherryError('usage', `The command has an open ${quote} quote. Close it.`);
}
