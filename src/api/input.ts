import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { asText } from '../commands/args.ts';
import type { Command } from '../commands/define.ts';
import { WherryError } from '../domain/errors.ts';
import { type BodyLimits, bodyStream, readBody } from './body.ts';
import { parseObject } from './json.ts';

/** What a request asks of a command. */
export type Given = {
  readonly body: Readonly<Record<string, unknown>>;
  readonly force: boolean;
  readonly stdin: Readable;
  /** All of it, to know it again; undefined when bytes that are still to come are part of it. */
  readonly content: unknown;
};

type Source = { readonly command: Command; readonly query: string; readonly limits: BodyLimits };

/**
 * Arguments from the query for GET, else from JSON, where `stdin` is text for a command that reads its standard input. Bytes for
 * that are a body of their own, and the arguments beside them in the query.
 * @throws wrong-type, too-large, too-slow, invalid, usage
 */
export async function readInput(
  request: IncomingMessage,
  { command, query, limits }: Source,
): Promise<Given> {
  if (isGet(request)) return given(fromQuery(query), { stdin: Readable.from([]) });
  const { 'content-type': type, 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding !== 'identity')
    throw new WherryError('wrong-type', 'The request is compressed. Send it as it is.');
  if (command.stdin && type === 'application/octet-stream')
    return given(fromQuery(query), { stdin: bodyStream(request), content: undefined });
  if (type !== undefined && !/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type))
    throw new WherryError(
      'wrong-type',
      'The request is not JSON. Send it with Content-Type: application/json.',
    );
  if (query !== '') throw new WherryError('usage', 'Arguments of POST go into its body, as JSON.');
  const content = parseObject(await readBody(request, limits));
  if (!command.stdin) return given(content, { stdin: Readable.from([]) });
  const { stdin, ...rest } = content;
  const bytes = stdin === undefined ? [] : [Buffer.from(asText(stdin, 'stdin'))];
  return given(rest, { stdin: Readable.from(bytes), content });
}

export function isGet({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function given(all: Readonly<Record<string, unknown>>, rest: { stdin: Readable; content?: unknown }): Given {
  const { force, ...body } = all;
  return { body, force: isForced(force), content: all, ...rest };
}

/** A key that comes twice is a list. @throws URIError for what is not UTF-8 */
function fromQuery(query: string): Record<string, unknown> {
  decodeURIComponent(query);
  const parsed = new URLSearchParams(query);
  return Object.fromEntries(
    [...new Set(parsed.keys())].map(key => {
      const values = parsed.getAll(key);
      return [key, values.length > 1 ? values : values[0]];
    }),
  );
}

function isForced(force: unknown): boolean {
  if (force === undefined || force === null || force === false || force === 'false') return false;
  if (force === true || force === 'true' || force === '') return true;
  throw new WherryError('invalid', '"force" is neither true nor false.');
}
