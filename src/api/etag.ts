import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerText } from './json.ts';

/** Answers may be secrets, and tags end up in logs of others: without the key nobody can try values against a tag. */
const key = randomBytes(32);

/** JSON under a tag of its content; 304 for who has it already. */
export function answerTagged(request: IncomingMessage, response: ServerResponse, body: unknown): void {
  const json = `${JSON.stringify(body)}\n`;
  const tag = `"${createHmac('sha256', key).update(json).digest('base64url').slice(0, 22)}"`;
  response.setHeader('etag', tag);
  if (matches(request.headers['if-none-match'], tag))
    response.writeHead(304, { 'cache-control': 'no-store' }).end();
  else answerText(response, 200, json);
}

/** By the weak comparison, as RFC 9110 wants it here. */
function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some(each => ['*', tag].includes(each.trim().replace(/^W\//, '')));
}
