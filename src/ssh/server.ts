import { createServer, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { Refusals } from '../commands/refusals.ts';
import { WherryError } from '../domain/errors.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { algorithms } from './algorithms.ts';
import type { FindKey } from './authenticate.ts';
import { serveConnection } from './connection.ts';
import { Gate, type Place } from './gate.ts';
import { loadHostKeys, serverKeys } from './host-keys.ts';
import { defaultLimits, type SshLimits } from './limits.ts';
import { Patience } from './patience.ts';
import type { Dispatch, GitService } from './route.ts';

export type { Dispatch } from './route.ts';

export type SshServerOptions = {
  readonly address: { readonly host: string; readonly port: number };
  readonly hostKeysDir: string;
  readonly findKey: FindKey;
  readonly receiver: GitService;
  readonly dispatch: Dispatch;
  readonly refusals: Refusals;
  readonly limits?: Partial<SshLimits>;
  readonly log: Log;
  readonly clock: Clock;
};

export interface SshServer {
  /** The address as bound. @throws failed when it cannot be bound */
  listen(): Promise<{ host: string; port: number }>;
  /** Takes no more clients, stops every command, ends all connections within a few seconds. */
  close(): Promise<void>;
}

/** Milliseconds that stopped commands, and then connections, have to say why. */
const lastWords = 2000;

/** Takes pushes and commands over SSH. */
export function createSshServer(options: SshServerOptions): SshServer {
  const limits = { ...defaultLimits, ...options.limits };
  const open = new Set<Socket>();
  const running = new Set<() => void>();
  let listener: Server | undefined;

  return {
    listen: async () => {
      const take = await connectionTaker(options, { limits, open, running });
      // Nagle's delay would be paid at every step of a handshake.
      listener = createServer({ noDelay: true }, take);
      return bind(listener, options.address);
    },
    close: async () => {
      const closed = new Promise<void>(resolve => (listener ? listener.close(() => resolve()) : resolve()));
      for (const stop of running) stop();
      await emptied(running, lastWords);
      for (const socket of open) socket.end();
      const timer = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, lastWords);
      await closed;
      clearTimeout(timer);
    },
  };
}

type Shared = { readonly limits: SshLimits; readonly open: Set<Socket>; readonly running: Set<() => void> };

/** What happens to a new TCP connection, from the first byte on: ssh2 speaks up only after the client's greeting. */
async function connectionTaker(options: SshServerOptions, { limits, open, running }: Shared) {
  const { log, findKey, dispatch, refusals } = options;
  const gate = new Gate(limits);
  const patience = new Patience(limits, options.clock.ticks);
  const places = new Map<string, { socket: Socket; place: Place }>();
  const hostKeys = serverKeys(await loadHostKeys(options.hostKeysDir));
  const server = new ssh2.Server({
    hostKeys,
    algorithms,
    ident: 'Wherry',
    ...{ keepaliveInterval: limits.keepalive, keepaliveCountMax: limits.keepalives },
  });
  server.on('error', (error: Error) => log.error({ err: error }, 'ssh server error'));
  server.on('connection', (client, info) => {
    const arrived = places.get(peer(info.ip, info.port));
    if (arrived)
      serveConnection(client, {
        ...{ ...arrived, limits, running, findKey, git: options.receiver, dispatch, refusals, log },
      });
    else client.end();
  });

  return (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const name = peer(address, socket.remotePort);
    socket.on('error', () => {});
    if (patience.isOver(address)) {
      socket.destroy();
      return;
    }
    let login: 'none' | 'awaited' | 'done' = 'none';
    let grace = setTimeout(() => socket.destroy(), limits.grace);
    const begin = () => {
      if (socket.destroyed) return;
      login = 'awaited';
      clearTimeout(grace);
      grace = setTimeout(() => socket.destroy(), limits.grace);
      server.injectSocket(socket);
    };
    // Of one in line nothing is read.
    const place = gate.enter(address, () => setImmediate(begin));
    if (!place) {
      clearTimeout(grace);
      socket.destroy();
      return;
    }
    const known = () => {
      clearTimeout(grace);
      login = 'done';
      patience.loggedIn(address);
      place.known();
    };
    open.add(socket);
    places.set(name, { socket, place: { known, leave: place.leave } });
    socket.once('close', () => {
      clearTimeout(grace);
      if (login === 'awaited') patience.failed(address);
      place.leave();
      open.delete(socket);
      places.delete(name);
    });
  };
}

async function emptied(running: ReadonlySet<unknown>, longest: number): Promise<void> {
  for (let waited = 0; running.size > 0 && waited < longest; waited += 20) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

function peer(ip: string | undefined, port: number | undefined): string {
  return `${ip} ${port}`;
}

function bind(
  listener: Server,
  address: { host: string; port: number },
): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    listener.once('error', error => {
      const { code } = error as NodeJS.ErrnoException;
      const shown = `${address.host}:${address.port}`;
      const why =
        code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code ?? 'unknown'})`;
      reject(
        new WherryError('failed', `SSH address ${shown} ${why}. Choose another with --ssh.`, {
          cause: error,
        }),
      );
    });
    listener.listen(address.port, address.host, () => {
      const bound = listener.address();
      if (bound === null || typeof bound === 'string') return reject(new Error('no TCP address'));
      resolve({ host: bound.address, port: bound.port });
    });
  });
}
