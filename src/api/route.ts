import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallJson } from '../commands/call-json.ts';
import type { Dispatch } from '../commands/dispatch.ts';
import { described } from '../commands/help.ts';
import type { Registry } from '../commands/registry.ts';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Actor } from '../domain/push.ts';
import type { BodyLimits } from './body.ts';
import { execCommand } from './exec.ts';
import { answerJson } from './json.ts';
import { openApi } from './openapi.ts';
import { restCommand } from './rest.ts';
import type { StreamTimes } from './stream.ts';

/** What requests are answered from. */
export type Answering = {
  readonly dispatch: Dispatch;
  readonly callJson: CallJson;
  readonly registry: Registry;
  readonly limits: BodyLimits;
  readonly times: StreamTimes;
  readonly version: string;
};

/** @throws WherryError or URIError, while nothing of the answer is sent yet */
export async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { answering, actor, signal }: { answering: Answering; actor: Actor; signal: AbortSignal },
): Promise<void> {
  const { dispatch, callJson, registry, limits, times, version } = answering;
  const [pathname = '/', query = ''] = splitOnce(request.url ?? '/', '?');
  if (pathname === '/openapi.json') return answerJson(response, 200, openApi(registry.list(), version));
  if (pathname === '/v1/commands') return answerJson(response, 200, described(registry.list()));
  if (pathname === '/v1/exec') return execCommand(request, response, { dispatch, actor, signal });
  const [root, ...words] = pathname.split('/').filter(part => part !== '');
  if (root !== 'v1' || words.length < 1 || words.length > 2)
    throw new WherryError('not-found', `There is nothing at ${quoteForPeople(pathname)}. See /openapi.json.`);
  const command = registry.find(words.map(decodeURIComponent).join(':'));
  await restCommand(request, response, { command, query, callJson, actor, signal, limits, times });
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
