import { ExecError, type ExecOptions, exec } from '../../src/system/exec.ts';

export type Run = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, for messages of failed expectations. */
  readonly output: string;
  /** Milliseconds. */
  readonly ms: number;
};

/** Runs a program to its end; a status other than 0 is a result, not a throw. @throws when it cannot start or times out */
export async function run(file: string, args: readonly string[], options: ExecOptions = {}): Promise<Run> {
  const begun = performance.now();
  const end = (result: { exitCode: number; stdout: string; stderr: string }): Run => ({
    code: result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
    output: result.stdout + result.stderr,
    ms: performance.now() - begun,
  });
  try {
    return end(await exec(file, args, options));
  } catch (error) {
    if (!(error instanceof ExecError) || error.timedOut || error.cause !== undefined) throw error;
    return end(error);
  }
}

/** Runs a program that must succeed; its standard output. @throws ExecError */
export async function must(
  file: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  return (await exec(file, args, options)).stdout;
}
