import { PassThrough, Readable, Writable } from 'node:stream';
import { execRemote } from '../cli/exec.ts';
import { WherryError } from '../domain/errors.ts';
import type { Step } from './moves.ts';

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The Wherry that apps move to. @throws unavailable when it cannot be reached */
export type Target = (step: Step) => Promise<Ran>;

/** The daemon on a socket of this host. */
export function socketTarget(socket: string, signal: AbortSignal): Target {
  return async ({ words, stdin }) => {
    const [out, err]: [string[], string[]] = [[], []];
    const terminal = {
      stdin: stdin === undefined ? new PassThrough().end() : Readable.from([Buffer.from(stdin)]),
      stdout: into(out),
      stderr: into(err),
    };
    const outcome = await execRemote({ socket, words, signal }, terminal);
    if (outcome.kind === 'exit') return { code: outcome.code, stdout: out.join(''), stderr: err.join('') };
    signal.throwIfAborted();
    throw new WherryError(
      'unavailable',
      outcome.kind === 'lost'
        ? 'The daemon went away. Run the import again when it is back: what is done stays done.'
        : `Wherry does not answer at ${socket} (${outcome.code}). Start it, or name its directory with --data.`,
    );
  };
}

function into(parts: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      parts.push(String(chunk));
      done();
    },
  });
}
