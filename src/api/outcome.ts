import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallJson, JsonCall, JsonClient } from '../commands/call-json.ts';
import { WherryError } from '../domain/errors.ts';
import { answerTagged } from './etag.ts';
import { answerJson } from './json.ts';
import { type Problem, problemOf, sendProblem } from './problem.ts';

/** How a command ended. */
export type Outcome =
  | { readonly kind: 'result'; readonly exit: number; readonly result: unknown }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** Runs it to its end. The result of a stream is nothing: its items have gone. @throws interrupted, and what is a bug of ours */
export async function outcomeOf(
  callJson: CallJson,
  call: Omit<JsonCall, 'client'>,
  client: JsonClient,
): Promise<Outcome> {
  let result: unknown = null;
  const give = async (value: unknown) => {
    if (!call.command.stream) result = value;
    await client.give(value);
  };
  try {
    const exit = await callJson({ ...call, client: { ...client, give } });
    return { kind: 'result', exit, result };
  } catch (error) {
    if (!(error instanceof WherryError) || error.code === 'interrupted') throw error;
    return { kind: 'problem', problem: problemOf(error) };
  }
}

/**
 * The whole answer at once. "None", such as a config variable that is not set, is 404; any other exit status than 0 goes along
 * with its result.
 */
export function answerOutcome(request: IncomingMessage, response: ServerResponse, outcome: Outcome): void {
  if (outcome.kind === 'problem') {
    sendProblem(response, outcome.problem);
    return;
  }
  const { exit, result } = outcome;
  if (exit !== 0 && result === null)
    throw new WherryError('not-found', 'There is no such value: nothing was found.');
  if (exit !== 0) response.setHeader('wherry-exit', String(exit));
  if (request.method === 'POST') answerJson(response, 200, result);
  else answerTagged(request, response, result);
}
