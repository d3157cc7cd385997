import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { asText } from '../commands/args.ts';
import type { CallJson } from '../commands/call-json.ts';
import type { Command } from '../commands/define.ts';
import { WherryError } from '../domain/errors.ts';
import type { Actor, Progress } from '../domain/push.ts';
import { type BodyLimits, bodyStream, readBody } from './body.ts';
import { formOf } from './event.ts';
import { answerJson, parseObject } from './json.ts';
import { createStream, type StreamTimes } from './stream.ts';

export type Rest = {
  readonly command: Command;
  /** What follows the question mark, as it came. */
  readonly query: string;
  readonly callJson: CallJson;
  readonly actor: Actor;
  readonly signal: AbortSignal;
  readonly limits: BodyLimits;
  readonly times: StreamTimes;
};

const silent: Progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };

/**
 * `/v1/<namespace>/<verb>`: arguments as a JSON object or, for GET, as a query; the result as JSON. A stream is a line
 * an item, and so is, with its progress, whatever else is asked for in `Accept`.
 * Commands that change something take POST only. `force` stands for `--force`.
 * @throws WherryError, while nothing of the answer is sent yet
 */
export async function restCommand(
  request: IncomingMessage,
  response: ServerResponse,
  rest: Rest,
): Promise<void> {
  const { command, query, callJson, actor, signal, limits, times } = rest;
  checkMethod(request, response, command);
  const { given, stdin } = await readInput(request, { command, query, limits });
  const { force, ...body } = given;
  const call = { ...{ command, body, actor, signal, stdin }, force: isForced(force) };
  const form = formOf(request.headers.accept) ?? (command.stream ? 'ndjson' : undefined);
  if (form) {
    const stream = createStream(response, { form, kind: command.stream ? 'item' : 'result', times });
    return stream.run(() => callJson({ ...call, client: stream.client }));
  }
  let result: unknown;
  const give = async (value: unknown) => {
    result = value;
  };
  const exit = await callJson({ ...call, client: { progress: silent, open() {}, give } });
  answerResult(response, { command, result, exit });
}

/** Where it is: `/v1/ps/scale`. */
export function pathOf({ name }: Command): string {
  return `/v1/${name.split(':').join('/')}`;
}

/** Whether a command changes nothing at all. */
export function isSafe({ effect, acts }: Command): boolean {
  return effect === 'read' && acts !== true;
}

function checkMethod(request: IncomingMessage, response: ServerResponse, command: Command): void {
  const allowed = isSafe(command) ? ['GET', 'HEAD', 'POST'] : ['POST'];
  if (allowed.includes(request.method ?? '')) return;
  response.setHeader('allow', allowed.join(', '));
  throw new WherryError('wrong-method', `${command.name} takes ${allowed.join(', ')} only.`);
}

function isGet({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
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

type Given = { readonly given: Record<string, unknown>; readonly stdin: Readable };

/**
 * Arguments from the query for GET, else from JSON, where `stdin` is text for a command that reads its standard input. Bytes for
 * that are a body of their own, and the arguments beside them in the query.
 * @throws wrong-type, too-large, too-slow, invalid, usage
 */
async function readInput(
  request: IncomingMessage,
  { command, query, limits }: Pick<Rest, 'command' | 'query' | 'limits'>,
): Promise<Given> {
  const nothing = Readable.from([]);
  if (isGet(request)) return { given: fromQuery(query), stdin: nothing };
  const { 'content-type': type, 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding !== 'identity')
    throw new WherryError('wrong-type', 'The request is compressed. Send it as it is.');
  if (command.stdin && type === 'application/octet-stream')
    return { given: fromQuery(query), stdin: bodyStream(request) };
  if (type !== undefined && !/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type))
    throw new WherryError(
      'wrong-type',
      'The request is not JSON. Send it with Content-Type: application/json.',
    );
  if (query !== '') throw new WherryError('usage', 'Arguments of POST go into its body, as JSON.');
  const body = parseObject(await readBody(request, limits));
  if (!command.stdin) return { given: body, stdin: nothing };
  const { stdin, ...given } = body;
  return { given, stdin: Readable.from(stdin === undefined ? [] : [Buffer.from(asText(stdin, 'stdin'))]) };
}

function isForced(force: unknown): boolean {
  if (force === undefined || force === null || force === false || force === 'false') return false;
  if (force === true || force === 'true' || force === '') return true;
  throw new WherryError('invalid', '"force" is neither true nor false.');
}

/** "None", such as a config variable that is not set, is 404; any other exit status than 0 goes along with its result. */
function answerResult(
  response: ServerResponse,
  { command, result, exit }: { command: Command; result: unknown; exit: number },
): void {
  if (exit !== 0 && result === null)
    throw new WherryError('not-found', `${command.name} found nothing: there is no such value.`);
  if (exit !== 0) response.setHeader('wherry-exit', String(exit));
  answerJson(response, 200, result);
}
