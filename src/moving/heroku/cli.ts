import { WherryError } from '../../domain/errors.ts';
import { type AppName, quoteForPeople } from '../../domain/names.ts';
import { ExecError, exec } from '../../system/exec.ts';
import { hasControls, understood } from '../answers.ts';
import { Notes } from '../moves.ts';

/** Runs `heroku` with words; standard output. @throws unavailable, failed, invalid */
export type Cli = (words: readonly string[]) => Promise<string>;

/** Bytes of one answer. */
const mostOutput = 4 * 2 ** 20;

/** Heroku's own client, as the person has it and is logged in with it. */
export function herokuCli({ patience, signal }: { patience: number; signal: AbortSignal }): Cli {
  return async words => {
    try {
      const run = { env: environment(), timeout: patience, maxOutput: mostOutput, signal };
      return (await exec('heroku', words, run)).stdout;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExecError)) throw error;
      throw judged(error, words);
    }
  };
}

/** Asks about one app, and collects what is to be done about it. */
export class HerokuApp extends Notes {
  readonly name: AppName;
  readonly #cli: Cli;

  constructor(name: AppName, cli: Cli) {
    super();
    this.name = name;
    this.#cli = cli;
  }

  /** @throws invalid when it says what Heroku's client does not say */
  async read<Value>(words: readonly string[], read: (out: string) => Value): Promise<Value> {
    const out = await this.#cli([...words, '--app', this.name]);
    if (hasControls(out))
      throw new WherryError(
        'invalid',
        `heroku ${words[0]} answered with control characters. Nothing of it is used; look at it by hand.`,
      );
    return understood('Heroku', [...words, '--app', this.name], () => read(out));
  }
}

function judged(error: ExecError, words: readonly string[]): WherryError {
  const what = `heroku ${words[0]}`;
  if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    return new WherryError(
      'unavailable',
      'There is no "heroku" on the PATH. Install Heroku\'s command line client here, and log in with: heroku login',
    );
  if (error.timedOut)
    return new WherryError(
      'unavailable',
      `${what} did not answer in time. Try it by hand, then run this again.`,
    );
  if (error.overflow)
    return new WherryError(
      'invalid',
      `${what} answered with more than ${mostOutput / 2 ** 20} MiB, too much to be true.`,
    );
  const said = error.stderr.split('\n').find(line => /Error:|›\s+\S/.test(line)) ?? error.stderr.trim();
  return new WherryError(
    'failed',
    `${what} failed: ${quoteForPeople(said.trim() || `exit status ${error.exitCode}`)}. Nothing was changed.`,
  );
}

/** What Heroku's client looks at of the person's own. */
function environment(): Record<string, string> {
  const known =
    /^(PATH|HOME|USER|LOGNAME|XDG_\w+|HTTPS?_PROXY|https?_proxy|NO_PROXY|no_proxy|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|HEROKU_\w+)$/;
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    known.test(name) && value !== undefined ? [[name, value] as const] : [],
  );
  return { ...Object.fromEntries(own), NO_COLOR: '1', HEROKU_COLOR: '0' };
}
