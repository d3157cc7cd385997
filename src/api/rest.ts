import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import type { Command } from '../commands/define.ts';
import type { Dispatch } from '../commands/dispatch.ts';
import { type ErrorCode, WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import { answerText, readObject } from './json.ts';

type Rest = {
  readonly command: Command;
  readonly query: URLSearchParams;
  readonly dispatch: Dispatch;
  readonly actor: Actor;
  readonly signal: AbortSignal;
};

/**
 * `/v1/<namespace>/<verb>`: arguments as a JSON object or, for GET, as a query; the result as JSON, of a stream a line an item.
 * Commands that change something take POST only. `force` stands for `--force`.
 */
export async function restCommand(
  request: IncomingMessage,
  response: ServerResponse,
  { command, query, dispatch, actor, signal }: Rest,
): Promise<void> {
  const isGet = request.method === 'GET';
  if (!isGet && request.method !== 'POST') return refuseMethod(response, 'GET, POST');
  if (isGet && command.effect === 'write') return refuseMethod(response, 'POST');
  const { force, ...body } = isGet ? fromQuery(query) : await readObject(request);
  const stdout = command.stream ? streamed(response) : collected(response);
  const exit = await dispatch({
    words: [],
    json: { command: command.name, body, force: force === true || force === 'true' },
    actor,
    signal,
    stdin: Readable.from([]),
    stdout: stdout.stream,
    stderr: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
  await stdout.end(exit);
}

/** A key that comes twice is a list. */
function fromQuery(query: URLSearchParams): Record<string, unknown> {
  return Object.fromEntries(
    [...new Set(query.keys())].map(key => {
      const values = query.getAll(key);
      return [key, values.length > 1 ? values : values[0]];
    }),
  );
}

/** Keeps the answer until the status is known. */
function collected(response: ServerResponse) {
  const chunks: string[] = [];
  return {
    stream: writable(async text => void chunks.push(text)),
    async end(exit: number): Promise<void> {
      const json = chunks.join('');
      // A failure without an error, such as a config variable that is not set, is an answer of "none".
      answerText(response, exit === 0 ? 200 : (statusOf(json) ?? 404), json || 'null\n');
    },
  };
}

/** Passes lines on; the first decides the status. */
function streamed(response: ServerResponse) {
  const begin = (status: number) => {
    if (!response.headersSent)
      response.writeHead(status, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  };
  return {
    stream: writable(async text => {
      begin(statusOf(text) ?? 200);
      if (!response.destroyed && !response.write(text))
        await new Promise<void>(resolve => {
          response.once('drain', resolve);
          response.once('close', resolve);
        });
    }),
    async end(): Promise<void> {
      begin(200);
      response.end();
    },
  };
}

function writable(take: (text: string) => Promise<void>): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk: Buffer | string, _encoding, done) => {
      take(String(chunk)).then(() => done(), done);
    },
  });
}

/** The status that belongs to `{"error":{"code":...}}`; undefined for anything else. */
function statusOf(json: string): number | undefined {
  if (!json.startsWith('{"error":')) return undefined;
  const { error } = JSON.parse(json) as { error: { code: ErrorCode } };
  return new WherryError(error.code, '').httpStatus;
}

function refuseMethod(response: ServerResponse, allowed: string): void {
  response.setHeader('allow', allowed);
  const error = { code: 'usage', message: `This command takes ${allowed} only.` };
  answerText(response, 405, `${JSON.stringify({ error })}\n`);
}
