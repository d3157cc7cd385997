import { rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import type { Log } from '../system/log.ts';
import { type BodyLimits, leaveToClient } from './body.ts';
import { knownError, problemOf, sendProblem } from './problem.ts';
import { type Answering, route } from './route.ts';
import type { StreamTimes } from './stream.ts';

export type ApiOptions = Omit<Answering, 'limits' | 'times'> & {
  /** Path of the unix socket; whoever can open it is an admin, so its mode is 0600. */
  readonly socket: string;
  readonly log: Log;
  /** Of a body of JSON; what fits config, an archive goes another way. */
  readonly limits?: BodyLimits;
  readonly times?: StreamTimes;
};

/** Whoever reaches the socket: its file's mode has let them through. */
const actor: Actor = { name: 'local', via: 'local' };
const usualLimits: BodyLimits = { bytes: 2 ** 20, patience: 30_000 };
/** A client that takes nothing for two minutes is gone, or will not come back. */
const usualTimes: StreamTimes = { heartbeat: 15_000, missed: 8 };
/** Longest path that a unix socket address holds, in bytes (unix(7): 108 with the closing NUL). */
const longestPath = 107;

/**
 * The HTTP API on the data directory's socket. `POST /v1/exec` is the local client's (words in, output frames out);
 * `/v1/<namespace>/<verb>` takes and gives JSON; `GET /openapi.json` and `GET /v1/commands` describe them all.
 */
export function createApi(options: ApiOptions) {
  const { socket, log } = options;
  const answering: Answering = { limits: usualLimits, times: usualTimes, ...options };
  const clients = new Set<AbortController>();
  const stopping = new AbortController();

  // A push or a log is read for as long as it takes, so only the header has a limit in time.
  const server = createServer({ requestTimeout: 0, headersTimeout: 10_000, keepAliveTimeout: 5_000 });
  server.on('request', (request, response) => {
    const client = new AbortController();
    clients.add(client);
    response.once('close', () => {
      clients.delete(client);
      client.abort(new WherryError('interrupted', 'The client is gone.'));
    });
    response.on('error', () => {});
    request.on('error', () => {});
    const { signal } = client;
    route(request, response, { answering, actor, signal, stopping: stopping.signal }).catch(error => {
      refuse(response, error, log);
      leaveToClient(request);
    });
  });

  return {
    /** @throws conflict when another daemon serves the socket, invalid when its path is too long */
    async listen(): Promise<void> {
      if (Buffer.byteLength(socket) > longestPath) {
        throw new WherryError(
          'invalid',
          `The path ${socket} is too long for a unix socket. Choose a data directory with a shorter path.`,
        );
      }
      if (await answers(socket))
        throw new WherryError('conflict', `Another Wherry serves ${socket} already. Stop it first.`);
      rmSync(socket, { force: true });
      await listening(server, socket);
    },
    async close(): Promise<void> {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      const reason = new WherryError('interrupted', 'The daemon is stopping.');
      for (const client of [...clients, stopping]) client.abort(reason);
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(response: ServerResponse, error: unknown, log: Log): void {
  const known = knownError(error);
  if (!known) log.error({ err: error instanceof Error ? error.stack : String(error) }, 'the API met a bug');
  if (response.headersSent) response.destroy();
  else
    sendProblem(
      response,
      problemOf(known ?? new WherryError('failed', 'Wherry met a fault of its own; see the daemon log.')),
    );
}

/** The file's mode is right from its first moment: nobody else can connect in between. */
function listening(server: ReturnType<typeof createServer>, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(0o177);
    try {
      server.listen(socket, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

/** Whether somebody listens there; a socket file that a crash left does not count. */
function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = connect(socket);
    const settle = (alive: boolean) => {
      probe.destroy();
      resolve(alive);
    };
    probe.once('connect', () => settle(true));
    probe.once('error', () => settle(false));
    probe.setTimeout(2000, () => settle(true));
  });
}
