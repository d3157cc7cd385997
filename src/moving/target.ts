import { PassThrough, Readable, Writable } from 'node:stream';
import { execRemote } from '../cli/exec.ts';
import type { Remote } from '../cli/remote.ts';
import { sshArguments } from '../cli/ssh.ts';
import { WherryError } from '../domain/errors.ts';
import { ExecError, exec } from '../system/exec.ts';
import type { Step } from './moves.ts';
import { sshEnvironment } from './ssh-environment.ts';

/** Milliseconds of one command; what ssh ends with when its connection does. */
const longestStep = 600_000;
const brokenOff = 255;

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

/** A Wherry elsewhere, by the person's own ssh. */
export function sshTarget(remote: Remote, signal: AbortSignal): Target {
  return async ({ words, shown, stdin }) => {
    // Other people of this host see the words of a program.
    if (shown !== undefined)
      throw new WherryError(
        'invalid',
        'It may hold a secret, which is not sent so. Run it on the server itself.',
      );
    const asks = process.stdin.isTTY === true;
    const args = sshArguments(remote, words, { terminal: false, asks });
    try {
      const run = { env: sshEnvironment(), input: stdin ?? '', timeout: longestStep, signal };
      const { stdout, stderr } = await exec('ssh', args, run);
      return { code: 0, stdout, stderr };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExecError)) throw error;
      if (error.exitCode !== brokenOff && !error.timedOut)
        return { code: error.exitCode, stdout: error.stdout, stderr: error.stderr };
      throw new WherryError(
        'unavailable',
        `${remote.user}@${remote.host} cannot be reached by ssh. Try: wherry apps:list`,
        { cause: error },
      );
    }
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
