import type { IncomingMessage, ServerResponse } from 'node:http';
import { WherryError } from '../domain/errors.ts';

/** Largest request body in bytes: all config of an app fits. */
export const largestBody = 4 * 2 ** 20;

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

/** A JSON object; an empty body is an empty one. @throws invalid */
export async function readObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody)
      throw new WherryError('invalid', `The request is larger than ${largestBody} bytes. Send less.`);
    chunks.push(chunk);
  }
  return parseObject(Buffer.concat(chunks).toString('utf8'));
}

/** @throws invalid */
export function parseObject(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WherryError('invalid', 'The request must be a JSON object.');
  return value as Record<string, unknown>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WherryError('invalid', 'The request is not JSON.', { cause });
  }
}
