import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { WherryError } from '../domain/errors.ts';
import { type Terminal, type TerminalSize, terminalName, terminalSize } from '../domain/terminal.ts';
import { parseObject } from './json.ts';

/** Characters of a line from the client: more than it reads from a terminal at once. */
const longestLine = 2 ** 20;

/** The terminal of a local client. It stays a person's own, with control-C and lines, until a program of the app takes it over. */
export class ClientTerminal implements Terminal {
  readonly term: string;
  readonly takeOver: () => void;
  size: TerminalSize;
  readonly #listeners: ((size: TerminalSize) => void)[] = [];

  /** None when none is described. @throws invalid */
  static from(described: unknown, takeOver: () => void): ClientTerminal | undefined {
    if (described === undefined) return undefined;
    if (typeof described !== 'object' || described === null)
      throw new WherryError('invalid', 'terminal must be {"term":"xterm","rows":24,"columns":80}.');
    return new ClientTerminal(described, takeOver);
  }

  private constructor(
    described: { term?: unknown; rows?: unknown; columns?: unknown },
    takeOver: () => void,
  ) {
    this.term = terminalName(described.term);
    this.size = terminalSize(described);
    this.takeOver = takeOver;
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#listeners.push(listener);
  }

  /** What is typed. The lines are read also while nobody reads that, as sizes are among them. */
  input(
    request: IncomingMessage,
    { rest, wanted }: { readonly rest: Buffer; readonly wanted: () => void },
  ): Readable {
    let asked = false;
    const typed = new Readable({
      read() {
        if (!asked) wanted();
        asked = true;
        request.resume();
      },
    });
    typed.on('error', () => {});
    let open = '';
    const take = (chunk: Buffer): void => {
      const lines = (open + chunk.toString('latin1')).split('\n');
      open = lines.pop() ?? '';
      try {
        if (open.length > longestLine)
          throw new WherryError('invalid', 'A line of the terminal is too long.');
        for (const line of lines) this.#frame(parseObject(Buffer.from(line, 'latin1')), typed, request);
      } catch (error) {
        typed.destroy(error instanceof Error ? error : undefined);
        request.destroy();
      }
    };
    request
      .on('data', take)
      .once('end', () => typed.push(null))
      .once('close', () => typed.destroy());
    take(rest);
    request.resume();
    return typed;
  }

  #frame(frame: Readonly<Record<string, unknown>>, typed: Readable, request: IncomingMessage): void {
    if (typeof frame['input'] === 'string') {
      if (!typed.push(Buffer.from(frame['input'], 'base64'))) request.pause();
    } else if ('rows' in frame) {
      this.size = terminalSize(frame);
      for (const listener of this.#listeners) listener(this.size);
    }
  }
}
