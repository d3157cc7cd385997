import type { Socket } from 'node:net';
import { type Readable, Writable } from 'node:stream';
import type { ServerChannel } from 'ssh2';

/** The three streams of a running command and its end. */
export type ChannelStreams = {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Waits until what was written is sent, then sends the exit status, end of file and close. */
  finish(status: number): Promise<void>;
  /** The client is gone: what is written from now on is dropped, nothing waits for it. */
  abandon(): void;
};

/** Bytes that may wait for the client's TCP window; ssh2 itself does not look at it. */
const socketBacklog = 2 ** 20;

/**
 * Wraps a channel so that one chunk is under way at a time. ssh2 1.17 keeps a sent chunk when stdout had to wait for the
 * window and sends it a second time if stderr has to wait after it, so the two must never wait together and its memory
 * of the last chunk is cleared.
 */
export function channelStreams(channel: ServerChannel, socket: Socket): ChannelStreams {
  let last: Promise<void> = Promise.resolve();
  let gone = false;
  let drop = () => {};
  const dropped = new Promise<void>(resolve => {
    drop = resolve;
  });

  const send = async (target: Writable, chunk: Buffer) => {
    if (gone) return;
    await Promise.race([dropped, sent(channel, target, chunk)]);
    if (!gone && socket.writableLength > socketBacklog) await Promise.race([dropped, drained(socket)]);
  };
  const queue = (target: Writable) =>
    new Writable({
      highWaterMark: 256 * 1024,
      write: (chunk: Buffer, _encoding, done) => {
        last = last.then(() => send(target, chunk));
        last.then(() => done(), done);
      },
    }).on('error', () => {});

  channel.on('error', () => {});
  channel.stderr.on('error', () => {});
  const stdout = queue(channel);
  const stderr = queue(channel.stderr);
  return {
    stdin: channel,
    stdout,
    stderr,
    finish: async status => {
      await Promise.all([ended(stdout), ended(stderr)]);
      if (gone) return;
      channel.exit(status);
      channel.end();
    },
    abandon: () => {
      gone = true;
      drop();
    },
  };
}

function sent(channel: ServerChannel, target: Writable, chunk: Buffer): Promise<void> {
  return new Promise(resolve => {
    target.write(chunk, () => {
      Object.assign(channel, {
        _chunk: undefined,
        _chunkcb: undefined,
        _chunkErr: undefined,
        _chunkcbErr: undefined,
      });
      resolve();
    });
  });
}

function drained(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const settle = () => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.on('drain', settle).on('close', settle);
    if (!socket.writableNeedDrain || socket.destroyed) settle();
  });
}

function ended(stream: Writable): Promise<void> {
  return new Promise(resolve => {
    if (stream.writableFinished || stream.destroyed) return resolve();
    stream.once('finish', resolve).once('close', resolve);
    stream.end();
  });
}
