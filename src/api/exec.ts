import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Dispatch } from '../commands/dispatch.ts';
import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import { bodyStream, leaveToClient } from './body.ts';
import { parseObject } from './json.ts';

/**
 * What the local client reads, one JSON object a line. `stdin` asks it to send its standard input: until then it sends none,
 * so that a command which reads nothing leaves a script's input alone.
 */
type Frame =
  | { readonly stdout: string }
  | { readonly stderr: string }
  | { readonly stdin: true }
  | { readonly exit: number };

/** Bytes of the line of words. */
const longestLine = 4 * 2 ** 20;

/**
 * `POST /v1/exec`: the body is one line of JSON, `{"words":["apps:list"]}`, and after it the bytes of standard input.
 */
export async function execCommand(
  request: IncomingMessage,
  response: ServerResponse,
  { dispatch, actor, signal }: { dispatch: Dispatch; actor: Actor; signal: AbortSignal },
): Promise<void> {
  if (request.method !== 'POST') throw new WherryError('wrong-method', 'POST to /v1/exec.');
  const { line, rest } = await firstLine(request);
  const words = parseWords(parseObject(line));
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();

  const send = (frame: Frame): boolean => response.destroyed || response.write(`${JSON.stringify(frame)}\n`);
  const stdin = onDemand(request, rest, () => void send({ stdin: true }));
  const stdout = frames(response, text => send({ stdout: text }));
  const stderr = frames(response, text => send({ stderr: text }));
  const exit = await dispatch({ words, actor, stdin, stdout, stderr, signal });
  for (const stream of [stdout, stderr]) await finished(stream.end(), { signal }).catch(() => {});
  stdin.destroy();
  send({ exit });
  response.end();
  leaveToClient(request);
}

function parseWords(body: Readonly<Record<string, unknown>>): string[] {
  const { words } = body;
  if (!Array.isArray(words) || !words.every(word => typeof word === 'string'))
    throw new WherryError('invalid', 'The first line must be {"words":["command","argument"]}.');
  return words;
}

/** Reads up to the first newline, or the end; what came after it stays. @throws invalid */
function firstLine(request: IncomingMessage): Promise<{ line: Buffer; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const leave = () => {
      request.pause();
      request.off('data', onData).off('end', onEnd).off('close', onEnd);
    };
    const settle = (end: number, next: number) => {
      leave();
      resolve({ line: seen.subarray(0, end), rest: seen.subarray(next) });
    };
    const onEnd = () => settle(seen.length, seen.length);
    const onData = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf(10);
      if (end >= 0) return settle(end, end + 1);
      if (seen.length <= longestLine) return;
      leave();
      reject(new WherryError('invalid', `The first line is longer than ${longestLine} bytes. Send less.`));
    };
    request.on('data', onData).on('end', onEnd).on('close', onEnd);
  });
}

/** The rest of the body as a stream, which tells when it is first read. The request outlives it: the answer is still to be sent. */
function onDemand(request: IncomingMessage, rest: Buffer, onWanted: () => void): Readable {
  async function* body(): AsyncGenerator<Buffer> {
    onWanted();
    if (rest.length > 0) yield rest;
    yield* bodyStream(request);
  }
  return Readable.from(body(), { objectMode: false });
}

/** A stream whose text becomes frames, as fast as the client takes them. */
function frames(response: ServerResponse, send: (text: string) => boolean): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: Buffer | string, _encoding, done) {
      if (send(String(chunk)) || response.destroyed) return done();
      response.once('drain', done);
    },
  });
}
