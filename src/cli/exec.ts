import { request as httpRequest } from 'node:http';
import type { Tty } from './tty.ts';

/** The streams of a terminal, or of a test. */
export type Terminal = {
  readonly stdin: NodeJS.ReadableStream & { destroy?(): unknown };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
};

/** How a command ended; `unreachable` with the reason when no daemon took it. */
export type Outcome =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'unreachable'; readonly code: string }
  | { readonly kind: 'lost' };

export type Asked = {
  readonly socket: string;
  readonly words: readonly string[];
  readonly signal: AbortSignal;
  /** Of a command that may give it to a program of the app. */
  readonly tty?: Tty | undefined;
};

/**
 * Sends the words to the daemon on `socket` and shows its frames as they come. Standard input goes there only when the daemon
 * asks for it. Resolves when the command ends; an abort leaves it, and the daemon stops what it was doing.
 */
export function execRemote({ socket, words, signal, tty }: Asked, terminal: Terminal): Promise<Outcome> {
  return new Promise(resolve => {
    const request = httpRequest({
      ...{ socketPath: socket, path: '/v1/exec', method: 'POST', agent: false },
      // It is for this side to close: the daemon must not while standard input is still on its way.
      headers: { connection: 'keep-alive' },
    });
    const say = (line: object) => void request.write(`${JSON.stringify(line)}\n`);
    const onTyped = (bytes: Buffer) => say({ input: bytes.toString('base64') });
    const onResize = () => say(tty?.size() ?? {});
    const settle = (outcome: Outcome) => {
      signal.removeEventListener('abort', onAbort);
      tty?.restore();
      tty?.offResize(onResize);
      terminal.stdin.off('data', onTyped);
      terminal.stdin.unpipe(request);
      terminal.stdin.destroy?.();
      request.destroy();
      resolve(outcome);
    };
    const onAbort = () => settle({ kind: 'lost' });
    const onFrame = (frame: Record<string, unknown>): void => {
      if (typeof frame['stdout'] === 'string') terminal.stdout.write(bytesOf(frame['stdout'], frame));
      else if (typeof frame['stderr'] === 'string') terminal.stderr.write(bytesOf(frame['stderr'], frame));
      else if (frame['stdin'] === true) {
        if (tty) terminal.stdin.on('data', onTyped);
        else terminal.stdin.pipe(request);
      } else if (frame['raw'] === true) tty?.makeRaw();
      else if (typeof frame['exit'] === 'number') settle({ kind: 'exit', code: frame['exit'] });
    };
    let reached = false;
    request.on('error', (error: NodeJS.ErrnoException) =>
      settle(reached ? { kind: 'lost' } : { kind: 'unreachable', code: error.code ?? 'unknown' }),
    );
    request.on('response', response => {
      reached = true;
      response.setEncoding('utf8');
      response.on('data', lines(onFrame));
      response.on('close', () => settle({ kind: 'lost' }));
      response.on('error', () => settle({ kind: 'lost' }));
    });
    signal.addEventListener('abort', onAbort, { once: true });
    say({ words, ...(tty && { terminal: { term: tty.term, ...tty.size() } }) });
    tty?.onResize(onResize);
  });
}

function bytesOf(text: string, frame: Readonly<Record<string, unknown>>): string | Buffer {
  return frame['base64'] === true ? Buffer.from(text, 'base64') : text;
}

/** Cuts text into lines, each a JSON object. */
function lines(onFrame: (frame: Record<string, unknown>) => void): (text: string) => void {
  let open = '';
  return text => {
    const parts = (open + text).split('\n');
    open = parts.pop() ?? '';
    for (const part of parts) if (part !== '') onFrame(JSON.parse(part) as Record<string, unknown>);
  };
}
