import type { Readable, Writable } from 'node:stream';
import type { Refusals } from '../commands/refusals.ts';
import { sentence, WherryError } from '../domain/errors.ts';
import { type AppName, parseAppName } from '../domain/names.ts';
import { plainLine } from '../domain/plain-text.ts';
import type { Actor } from '../domain/push.ts';
import type { Terminal } from '../domain/terminal.ts';
import { splitWords } from '../domain/words.ts';
import type { Log } from '../system/log.ts';

/** What a command runs with, whoever runs it. */
export type Session = {
  readonly actor: Actor;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Of a client that asked for one. */
  readonly terminal?: Terminal | undefined;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
};

/** Runs a command of the registry; exit status. */
export type Dispatch = (request: Session & { readonly words: readonly string[] }) => Promise<number>;

/** The git side, as the receiver gives it. */
export interface GitService {
  receivePack(session: GitRequest): Promise<number>;
  uploadPack(session: GitRequest): Promise<number>;
}
type GitRequest = Session & { readonly app: AppName; readonly protocol?: string };

export type Destinations = {
  readonly git: GitService;
  readonly dispatch: Dispatch;
  readonly refusals: Refusals;
  readonly log: Log;
};

/** Runs one command line: git's own words go to the receiver, all others to the registry. Never throws; exit status. */
export async function route(
  line: string,
  session: Session & { readonly protocol: string | undefined },
  { git, dispatch, refusals, log }: Destinations,
): Promise<number> {
  let understood = false;
  try {
    const { protocol, ...streams } = session;
    const words = splitWords(line);
    const pack = gitWords(words);
    const app = pack && appOf(pack.path);
    understood = true;
    if (!pack || !app) return await dispatch({ ...streams, words });
    const request = { ...streams, app, ...(protocol === undefined ? {} : { protocol }) };
    return pack.kind === 'receive' ? await git.receivePack(request) : await git.uploadPack(request);
  } catch (error) {
    if (!(error instanceof WherryError))
      log.error({ err: error, command: line.slice(0, 30) }, 'command failed');
    if (!understood && error instanceof WherryError)
      refusals.words(session.actor, { command: 'unknown', result: error.code });
    session.stderr.write(` !     ${plainLine(sentence(error))}\n`);
    return error instanceof WherryError ? error.exitCode : 1;
  }
}

type GitWords = { readonly kind: 'receive' | 'upload'; readonly path: string };

/** `git-receive-pack 'app'` or `git receive-pack 'app'`, as git clients send them. */
function gitWords(words: readonly string[]): GitWords | undefined {
  const [first = '', ...rest] = words;
  const [program = '', ...paths] =
    first === 'git' ? [`git-${rest[0] ?? ''}`, ...rest.slice(1)] : [first, ...rest];
  if (program === 'git-upload-archive') {
    throw new WherryError('usage', 'git archive is not served. Clone the app and run it there.');
  }
  if (program !== 'git-receive-pack' && program !== 'git-upload-pack') return undefined;
  const [path, ...more] = paths;
  if (path === undefined || more.length > 0) {
    throw new WherryError('usage', 'Name one app as the repository, for example wherry@host:blog.');
  }
  return { kind: program === 'git-receive-pack' ? 'receive' : 'upload', path };
}

/** `blog`, `/blog`, `blog.git` and `~/blog` are one app. */
function appOf(path: string): AppName {
  return parseAppName(
    path
      .replace(/^(~?\/)/, '')
      .replace(/\/$/, '')
      .replace(/\.git$/, ''),
  );
}
