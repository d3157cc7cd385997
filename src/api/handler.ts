import type { IncomingMessage, ServerResponse } from 'node:http';
import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import type { Log } from '../system/log.ts';
import { leaveToClient } from './body.ts';
import { knownError, problemOf, sendProblem } from './problem.ts';
import { type Answering, route } from './route.ts';

type HandlerOptions = {
  readonly answering: Answering;
  /** Who sends a request. @throws WherryError when nobody that is known */
  readonly identify: (request: IncomingMessage, response: ServerResponse) => Actor;
  readonly log: Log;
};

/** Answers requests until it is stopped, whatever they bring. */
export function createHandler({ answering, identify, log }: HandlerOptions) {
  const clients = new Set<AbortController>();
  const stopping = new AbortController();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const client = new AbortController();
    clients.add(client);
    response.once('close', () => {
      clients.delete(client);
      client.abort(new WherryError('interrupted', 'The client is gone.'));
    });
    response.on('error', () => {});
    request.on('error', () => {});
    try {
      const actor = identify(request, response);
      await route(request, response, {
        ...{ answering, actor },
        ...{ signal: client.signal, stopping: stopping.signal },
      });
    } catch (error) {
      refuse(response, error, log);
      leaveToClient(request);
    }
  };

  return {
    handle: (request: IncomingMessage, response: ServerResponse): void => void handle(request, response),
    stop(): void {
      const reason = new WherryError('interrupted', 'The daemon is stopping.');
      for (const client of [...clients, stopping]) client.abort(reason);
    },
  };
}

function refuse(response: ServerResponse, error: unknown, log: Log): void {
  const known = knownError(error);
  if (!known) log.error({ err: error instanceof Error ? error.stack : String(error) }, 'the API met a bug');
  const fault = new WherryError('failed', 'Wherry met a fault of its own; see the daemon log.');
  if (response.headersSent) response.destroy();
  else sendProblem(response, problemOf(known ?? fault));
}
