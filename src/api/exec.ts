import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Dispatch } from '../commands/dispatch.ts';
import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import { bodyStream, leaveToClient } from './body.ts';
import { ClientTerminal } from './client-terminal.ts';
import { parseObject } from './json.ts';

/**
 * What the local client reads, one JSON object a line. `stdin` asks it to send its standard input: until then it sends none,
 * so that a command which reads nothing leaves a script's input alone. `raw` gives its terminal to a program of the app. Bytes
 * that are no text come as base64.
 */
type Frame =
  | { readonly stdout: string; readonly base64?: true }
  | { readonly stderr: string; readonly base64?: true }
  | { readonly stdin: true }
  | { readonly raw: true }
  | { readonly exit: number };

/** Bytes of the line of words. */
const longestLine = 4 * 2 ** 20;

/**
 * `POST /v1/exec`: the body is one line of JSON, `{"words":["apps:list"]}`, and after it the bytes of standard input. With
 * `"terminal":{"term":"xterm","rows":24,"columns":80}` there, lines of JSON follow instead: `{"input":"<base64>"}` and `{"rows":50,"columns":120}`.
 */
export async function execCommand(
  request: IncomingMessage,
  response: ServerResponse,
  { dispatch, actor, signal }: { dispatch: Dispatch; actor: Actor; signal: AbortSignal },
): Promise<void> {
  if (request.method !== 'POST') throw new WherryError('wrong-method', 'POST to /v1/exec.');
  const { line, rest } = await firstLine(request);
  const asked = parseObject(line);
  const words = parseWords(asked);
  const terminal = ClientTerminal.from(asked['terminal'], () => void send({ raw: true }));
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();

  const send = (frame: Frame): boolean => response.destroyed || response.write(`${JSON.stringify(frame)}\n`);
  const wanted = () => void send({ stdin: true });
  const stdin = terminal ? terminal.input(request, { rest, wanted }) : onDemand(request, rest, wanted);
  const stdout = frames(response, part => send({ stdout: part.text, ...part.form }));
  const stderr = frames(response, part => send({ stderr: part.text, ...part.form }));
  const exit = await dispatch({ words, actor, stdin, stdout, stderr, terminal, signal });
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
  // Of a client that left in the middle: whoever reads it is told, and when nobody does any more it is nobody's fault.
  return Readable.from(body(), { objectMode: false }).on('error', () => {});
}

type Part = { readonly text: string; readonly form: { readonly base64?: true } };

/** A stream whose bytes become frames, as fast as the client takes them. */
function frames(response: ServerResponse, send: (part: Part) => boolean): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: Buffer | string, _encoding, done) {
      const isText = typeof chunk === 'string' || isUtf8(chunk);
      const part: Part = isText
        ? { text: String(chunk), form: {} }
        : { text: chunk.toString('base64'), form: { base64: true } };
      if (send(part) || response.destroyed) return done();
      response.once('drain', done);
    },
  });
}
