import type { ServerResponse } from 'node:http';
import { WherryError } from '../domain/errors.ts';

/** Levels of lists and objects in each other. No argument needs more than three; reading does not recurse any deeper. */
const deepest = 32;

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  answerText(response, status, `${JSON.stringify(body)}\n`);
}

/** JSON that is text already. */
export function answerText(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(json),
    'cache-control': 'no-store',
  });
  response.end(json);
}

/** A JSON object; an empty text is an empty one. @throws invalid */
export function parseObject(bytes: Buffer): Record<string, unknown> {
  const text = decode(bytes);
  if (text.trim() === '') return {};
  refuseDeep(text);
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WherryError('invalid', 'The request must be a JSON object.');
  return value as Record<string, unknown>;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new WherryError('invalid', 'The request is not UTF-8.', { cause });
  }
}

/** Counts brackets outside strings. */
function refuseDeep(text: string): void {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > deepest)
      throw new WherryError(
        'invalid',
        `The request nests lists and objects more than ${deepest} deep. Make it flatter.`,
      );
  }
}

function parse(text: string): unknown {
  try {
    // Half a surrogate pair, which only an escape can say, would be stored as another character.
    return JSON.parse(text, /\\u[dD][89a-fA-F]/.test(text) ? refuseHalves : undefined);
  } catch (cause) {
    if (cause instanceof WherryError) throw cause;
    throw new WherryError('invalid', 'The request is not JSON.', { cause });
  }
}

function refuseHalves(key: string, value: unknown): unknown {
  if ([key, value].some(each => typeof each === 'string' && /\p{Surrogate}/u.test(each)))
    throw new WherryError('invalid', 'A text of the request holds half a character (a lone surrogate).');
  return value;
}
