import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallJson, JsonClient } from '../commands/call-json.ts';
import type { Command } from '../commands/define.ts';
import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import type { BodyLimits } from './body.ts';
import { formOf } from './event.ts';
import { readInput } from './input.ts';
import type { Once } from './once.ts';
import { answerOutcome, outcomeOf } from './outcome.ts';
import { createStream, type StreamTimes } from './stream.ts';

export type Rest = {
  readonly command: Command;
  /** What follows the question mark, as it came. */
  readonly query: string;
  readonly callJson: CallJson;
  readonly once: Once;
  readonly actor: Actor;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Aborted when the daemon stops. */
  readonly stopping: AbortSignal;
  readonly limits: BodyLimits;
  readonly times: StreamTimes;
};

/** Of who waits for the result alone. */
const silent: JsonClient = {
  progress: { header() {}, step() {}, detail() {}, warn() {}, raw() {} },
  open() {},
  async give() {},
};

/**
 * `/v1/<namespace>/<verb>`: arguments as a JSON object or, for GET, as a query; the result as JSON. A stream is a line
 * an item, and so is, with its progress, whatever else is asked for in `Accept`.
 * Commands that change something take POST only, and are done once for an `Idempotency-Key`. `force` stands for `--force`.
 * @throws WherryError, while nothing of the answer is sent yet
 */
export async function restCommand(
  request: IncomingMessage,
  response: ServerResponse,
  rest: Rest,
): Promise<void> {
  const { command, callJson, once, actor, times } = rest;
  checkMethod(request, response, command);
  const { content, ...given } = await readInput(request, rest);
  const key = isSafe(command) || command.stream ? undefined : keyOf(request, content);
  // Who may ask again is not needed to stay: what was begun for a key is done.
  const signal = key === undefined ? rest.signal : rest.stopping;
  const form = formOf(request.headers.accept) ?? (command.stream ? 'ndjson' : undefined);
  const stream = form && createStream(response, { form, kind: command.stream ? 'item' : 'result', times });
  const work = () => {
    const run = () => outcomeOf(callJson, { command, actor, signal, ...given }, stream?.client ?? silent);
    return stream ? stream.during(run) : run();
  };
  const { outcome, replayed } =
    key === undefined
      ? { outcome: await work(), replayed: false }
      : await once.do({ actor, key, request: [command.name, content] }, work);
  if (replayed) response.setHeader('idempotency-replayed', 'true');
  if (stream?.begun() || (stream && outcome.kind === 'result' && !replayed)) stream.end(outcome);
  else answerOutcome(request, response, outcome);
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

/** @throws usage */
function keyOf(request: IncomingMessage, content: unknown): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (content === undefined)
    throw new WherryError('usage', 'An Idempotency-Key goes with JSON alone. Send no bytes with one.');
  return String(key);
}
