import type { Writable } from 'node:stream';
import type { WherryError } from '../domain/errors.ts';
import { foreignLine, plainText } from '../domain/plain-text.ts';
import type { Progress } from '../domain/push.ts';

/** How the answer looks. */
export type Look = { quiet: boolean; json: boolean };

/** The two streams of one request, and dokku's way of writing to them. */
export type Screen = ReturnType<typeof createScreen>;

export function createScreen(
  { stdout, stderr, signal }: { stdout: Writable; stderr: Writable; signal: AbortSignal },
  look: Look,
) {
  // A client that is gone breaks the pipe; the request's signal tells, the error itself says nothing more.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  const put = (stream: Writable, text: string): boolean =>
    stream.destroyed || stream.writableEnded ? true : stream.write(text);
  /** With `--format json`, stdout is for the JSON alone. */
  const told = () => (look.json ? stderr : stdout);
  const unlessQuiet = (text: string) => void (look.quiet || put(told(), `${text}\n`));

  const progress: Progress = {
    header: text => unlessQuiet(`=====> ${plainText(text)}`),
    step: text => unlessQuiet(`-----> ${plainText(text)}`),
    detail: text => void put(told(), `       ${plainText(text)}\n`),
    warn: text => void put(stderr, complaint(text)),
    raw: line => void put(told(), `${foreignLine(line)}\n`),
  };

  return {
    progress,
    look,
    prompt: (text: string): void => void put(stderr, text),
    warn: (text: string): void => void put(stderr, complaint(text)),
    trace: (text: string): void => void put(stderr, `${text}\n`),
    /** Waits while the client is slower than the command. */
    async print(lines: readonly string[], end = '\n'): Promise<void> {
      if (lines.length === 0) return;
      if (!put(stdout, `${lines.join('\n')}${end}`)) await drained(stdout, signal);
    },
    error(error: WherryError): void {
      put(stderr, complaint(error.message));
      if (error.hint !== undefined) put(stderr, complaint(error.hint));
      if (look.json) put(stdout, `${JSON.stringify(errorBody(error))}\n`);
    },
  };
}

/** The error as every JSON front end gives it. */
export function errorBody(error: WherryError): { error: { code: string; message: string; hint?: string } } {
  const { code, message, hint } = error;
  return { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
}

/** dokku's ` !     ` in front of every line. */
function complaint(text: string): string {
  return plainText(text)
    .split('\n')
    .map(line => ` !     ${line}\n`)
    .join('');
}

function drained(stream: Writable, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      for (const event of ['drain', 'close', 'error']) stream.off(event, done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) stream.once(event, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted || stream.destroyed) done();
  });
}
