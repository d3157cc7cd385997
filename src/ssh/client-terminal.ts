import { PassThrough, Transform } from 'node:stream';
import type { PseudoTtyInfo, WindowChangeInfo } from 'ssh2';
import { type Terminal, type TerminalSize, terminalName, terminalSize } from '../domain/terminal.ts';
import type { ChannelStreams } from './channel-streams.ts';

const interruptKey = 3;

/**
 * The terminal of an SSH client (RFC 4254 section 6.2). The client has put it into raw mode: until a program of the app takes it over,
 * lines need a carriage return, and control-C comes as a byte.
 */
export class ClientTerminal implements Terminal {
  readonly term: string;
  size: TerminalSize;
  readonly #listeners: ((size: TerminalSize) => void)[] = [];
  #taken = false;

  constructor(info: PseudoTtyInfo & { readonly term?: string }) {
    this.term = terminalName(info.term);
    this.size = sizeOf(info);
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#listeners.push(listener);
  }

  takeOver(): void {
    this.#taken = true;
  }

  resize(info: WindowChangeInfo): void {
    this.size = sizeOf(info);
    for (const listener of this.#listeners) listener(this.size);
  }

  /** The streams as they must be until the terminal is taken over. */
  dress(streams: ChannelStreams, interrupt: () => void): ChannelStreams {
    // Read also for commands that read nothing: control-C is for them.
    const stdin = new PassThrough();
    streams.stdin.on('data', (bytes: Buffer) => {
      if (!this.#taken && bytes.includes(interruptKey)) interrupt();
    });
    streams.stdin.pipe(stdin);
    const stdout = this.#withReturns();
    const stderr = this.#withReturns();
    stdout.pipe(streams.stdout);
    stderr.pipe(streams.stderr);
    return {
      ...streams,
      stdin,
      stdout,
      stderr,
      async finish(status) {
        await Promise.all([stdout, stderr].map(through));
        await streams.finish(status);
      },
    };
  }

  #withReturns(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const bytes = this.#taken
          ? chunk
          : Buffer.from(chunk.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
        done(null, bytes);
      },
    });
  }
}

function sizeOf({ rows, cols }: WindowChangeInfo): TerminalSize {
  return terminalSize({ rows, columns: cols });
}

/** All that was written has gone on. */
function through(stream: Transform): Promise<void> {
  return new Promise(resolve => {
    stream.once('end', resolve).once('close', resolve);
    stream.end();
  });
}
