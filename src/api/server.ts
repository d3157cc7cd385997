import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import type { Log } from '../system/log.ts';
import { createHandler } from './handler.ts';
import type { Answering } from './route.ts';
import { usualLimits, usualTimes } from './usual.ts';

export type ApiOptions = Omit<Answering, 'limits' | 'times'> &
  Partial<Pick<Answering, 'limits' | 'times'>> & {
    /** Path of the unix socket; whoever can open it is an owner, so its mode is 0600. */
    readonly socket: string;
    readonly log: Log;
  };

/** Whoever reaches the socket: its file's mode has let them through. */
const actor: Actor = { name: 'local', via: 'local' };
/** Longest path that a unix socket address holds, in bytes (unix(7): 108 with the closing NUL). */
const longestPath = 107;

/**
 * The HTTP API on the data directory's socket. `POST /v1/exec` is the local client's (words in, output frames out);
 * `/v1/<namespace>/<verb>` takes and gives JSON; `GET /openapi.json` and `GET /v1/commands` describe them all.
 */
export function createApi({ socket, log, ...services }: ApiOptions) {
  const handler = createHandler({
    answering: { limits: usualLimits, times: usualTimes, ...services },
    identify: () => actor,
    log,
  });
  // A push or a log is read for as long as it takes, so only the header has a limit in time.
  const times = { requestTimeout: 0, headersTimeout: 10_000, keepAliveTimeout: 5_000 };
  const server = createServer(times, handler.handle);

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
      handler.stop();
      server.closeAllConnections();
      await closed;
    },
  };
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
