import type { Socket } from 'node:net';
import type { Connection, ServerChannel, Session as SshSession } from 'ssh2';
import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';
import type { Terminal } from '../domain/terminal.ts';
import { type FindKey, judge } from './authenticate.ts';
import { type ChannelStreams, channelStreams } from './channel-streams.ts';
import { ClientTerminal } from './client-terminal.ts';
import type { Place } from './gate.ts';
import type { SshLimits } from './limits.ts';
import { type Destinations, route } from './route.ts';

export type ConnectionOptions = Destinations & {
  readonly socket: Socket;
  readonly place: Place;
  readonly limits: SshLimits;
  readonly findKey: FindKey;
  /** Each open channel's way to stop its command. */
  readonly running: Set<() => void>;
};

/** Everything one client may do: prove its key within limits, then open channels that run one command each. */
export function serveConnection(client: Connection, options: ConnectionOptions): void {
  const { socket, log } = options;
  // A client can provoke errors at will; without a listener each would end the daemon.
  client.setMaxListeners(options.limits.channels + 10);
  client.on('error', (error: Error) => {
    log.debug({ err: error }, 'ssh client error');
    // ssh2 takes packets of up to 35,000 bytes and hangs up on longer ones.
    if (error.message.startsWith('Bad packet length'))
      log.info({}, 'ssh packet too long, as of a command past 34 KB');
  });
  authenticate(client, options, actor => {
    options.place.known();
    log.info({ actor: actor.name }, 'ssh login');
    const channels = countChannels(socket, options.limits);
    client.on('session', (accept, reject) => {
      if (!channels.enter()) return reject();
      const session = accept();
      serveSession(session, client, { ...options, actor, leave: channels.leave });
    });
  });
}

function authenticate(client: Connection, options: ConnectionOptions, login: (actor: Actor) => void): void {
  const address = options.socket.remoteAddress;
  let refused = 0;
  let first: string | undefined;
  let known = false;
  // A client with several keys offers one after the other: only one that comes in with none was refused.
  options.socket.once('close', () => {
    if (refused > 0 && !known)
      options.refusals.login({ via: 'ssh', address: address ?? '', credential: first });
  });
  client.on('authentication', context => {
    const verdict = judge(context, options.findKey);
    switch (verdict.kind) {
      case 'login':
        known = true;
        login({ ...verdict.actor, ...(address === undefined ? {} : { address }) });
        return context.accept();
      case 'probe':
        return context.accept();
      case 'refused':
        // Clients ask with "none" first to learn the methods: no attempt.
        if (context.method !== 'none') {
          refused += 1;
          first ??= verdict.credential;
          options.log.info(
            { reason: verdict.reason, address: options.socket.remoteAddress },
            'ssh login refused',
          );
        }
        context.reject(['publickey']);
        if (refused >= options.limits.attempts) client.end();
    }
  });
}

/** Open channels of a connection; closes it when it has none for too long. */
function countChannels(socket: Socket, limits: SshLimits) {
  let open = 0;
  const idle = setTimeout(() => {
    if (open === 0) socket.destroy();
  }, limits.idle).unref();
  socket.once('close', () => clearTimeout(idle));
  return {
    enter: () => {
      if (open >= limits.channels) return false;
      open += 1;
      return true;
    },
    leave: () => {
      open -= 1;
      idle.refresh();
    },
  };
}

type SessionOptions = ConnectionOptions & { readonly actor: Actor; readonly leave: () => void };

/** One channel. Agents, X11, forwarding and SFTP have no listener here, and ssh2 then refuses them. */
function serveSession(session: SshSession, client: Connection, options: SessionOptions): void {
  const stop = new AbortController();
  let protocol: string | undefined;
  let streams: ChannelStreams | undefined;
  let terminal: ClientTerminal | undefined;
  const halt = () => stop.abort(new WherryError('interrupted', 'Wherry is stopping. Try again in a moment.'));
  options.running.add(halt);
  const gone = once(() => {
    options.running.delete(halt);
    client.off('close', gone);
    stop.abort(new WherryError('interrupted', 'The client is gone.'));
    streams?.abandon();
    options.leave();
  });
  session.on('error', () => {});
  session.on('close', gone);
  client.on('close', gone);
  session.on('env', (accept, reject, info) => {
    const fits = info.key === 'GIT_PROTOCOL' && /^version=[0-2]$/.test(info.val);
    if (fits) protocol = info.val;
    if (fits) accept?.();
    else reject?.();
  });
  session.on('signal', accept => {
    accept?.();
    stop.abort(new WherryError('interrupted', 'The client asked to stop.'));
  });
  session.on('pty', (accept, _reject, info) => {
    terminal = new ClientTerminal(info);
    accept?.();
  });
  session.on('window-change', (accept, _reject, info) => {
    accept?.();
    terminal?.resize(info);
  });
  const start = (channel: ServerChannel | undefined, line: string) => {
    if (!channel) return;
    streams = channelStreams(channel, options.socket);
    const interrupt = () => stop.abort(new WherryError('interrupted', 'Interrupted.'));
    const shown = terminal ? terminal.dress(streams, interrupt) : streams;
    void run(shown, line, { ...options, signal: stop.signal, protocol, terminal });
  };
  session.on('exec', (accept, _reject, info) => start(accept(), info.command));
  session.on('shell', accept => start(accept(), ''));
}

/** Never throws: `route` turns every error into a line and a status. */
async function run(
  streams: ChannelStreams,
  line: string,
  options: SessionOptions & {
    readonly signal: AbortSignal;
    readonly protocol: string | undefined;
    readonly terminal: Terminal | undefined;
  },
): Promise<void> {
  const { actor, signal, protocol, terminal } = options;
  const { stdin, stdout, stderr } = streams;
  if (line.trim() === '') {
    stderr.write(greeting(actor));
    await streams.finish(1);
  } else {
    const status = await route(line, { actor, stdin, stdout, stderr, signal, protocol, terminal }, options);
    await streams.finish(status);
  }
  // Unread input would keep the channel from closing.
  stdin.resume();
}

function greeting(actor: Actor): string {
  return (
    `Hello ${actor.name}, your key works. Wherry gives no shell here.\n` +
    'Push an app with "git push", or name a command: "help" lists them all.\n'
  );
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
