import { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Look } from './look.ts';
import { createPainter } from './paint.ts';
import { createTicker } from './ticker.ts';

type Outputs = Readonly<Record<'stdout' | 'stderr', NodeJS.WritableStream>>;

/** Where output of a command goes, dressed for a person. */
export type Showing = Outputs & {
  /** When all that was written is out, and nothing drawn is left. */
  end(): Promise<void>;
};

/** Dresses output as the look says. */
export function createShowing(
  { stdout, stderr }: Outputs,
  look: Look,
  now: () => number = Date.now,
): Showing {
  const ticker = look.ticker ? createTicker(text => void stderr.write(text), now) : undefined;
  const dress = (to: NodeJS.WritableStream): Transform => {
    const paint = look.color ? createPainter() : (bytes: Buffer) => bytes;
    const dressed = new Transform({
      transform(bytes: Buffer, _encoding, done) {
        ticker?.seen(bytes);
        done(null, paint(bytes));
      },
    });
    // Both outlive the command: what is told of its end comes behind it.
    dressed.pipe(to, { end: false });
    // Whoever read it left: the rest is for nobody.
    to.on('unpipe', () => dressed.resume());
    return dressed;
  };
  const [out, err] = [dress(stdout), dress(stderr)];
  return {
    stdout: out,
    stderr: err,
    async end() {
      for (const stream of [out, err]) await finished(stream.end()).catch(() => {});
      ticker?.stop();
    },
  };
}
