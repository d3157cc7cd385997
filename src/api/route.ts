import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallJson } from '../commands/call-json.ts';
import type { Dispatch } from '../commands/dispatch.ts';
import { described } from '../commands/help.ts';
import type { Registry } from '../commands/registry.ts';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Actor } from '../domain/push.ts';
import type { BodyLimits } from './body.ts';
import { answerTagged } from './etag.ts';
import { execCommand } from './exec.ts';
import type { Once } from './once.ts';
import { openApi } from './openapi.ts';
import { restCommand } from './rest.ts';
import type { StreamTimes } from './stream.ts';

/** What requests are answered from. */
export type Answering = {
  /** For the local client's words; on the socket alone. */
  readonly dispatch?: Dispatch;
  readonly callJson: CallJson;
  readonly once: Once;
  readonly registry: Registry;
  readonly limits: BodyLimits;
  readonly times: StreamTimes;
  readonly version: string;
};

/** Who asks. */
export type Client = {
  readonly actor: Actor;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Aborted when the daemon stops. */
  readonly stopping: AbortSignal;
};

/** @throws WherryError or URIError, while nothing of the answer is sent yet */
export async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { answering, ...client }: Client & { answering: Answering },
): Promise<void> {
  const { dispatch, registry, version } = answering;
  const [pathname = '/', query = ''] = splitOnce(request.url ?? '/', '?');
  if (pathname === '/openapi.json') return answerTagged(request, response, openApi(registry.list(), version));
  if (pathname === '/v1/commands') return answerTagged(request, response, described(registry.list()));
  if (pathname === '/v1/exec' && dispatch) return execCommand(request, response, { dispatch, ...client });
  const [root, ...words] = pathname.split('/').filter(part => part !== '');
  if (root !== 'v1' || words.length < 1 || words.length > 2)
    throw new WherryError('not-found', `There is nothing at ${quoteForPeople(pathname)}. See /openapi.json.`);
  const command = registry.find(words.map(decodeURIComponent).join(':'));
  await restCommand(request, response, { command, query, ...answering, ...client });
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
