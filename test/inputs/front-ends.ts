import { Readable, Writable } from 'node:stream';
import { readArguments } from '../../src/cli/arguments.ts';
import { execRemote } from '../../src/cli/exec.ts';
import { sshArguments } from '../../src/cli/ssh.ts';
import { WherryError } from '../../src/domain/errors.ts';
import type { Actor } from '../../src/domain/push.ts';
import { type GitService, route } from '../../src/ssh/route.ts';
import { silentLog } from '../../src/system/log.ts';
import { ask, startApi } from '../api/support.ts';

/** What somebody wants done, in the two forms that front ends take it in. */
export type Wish = {
  /** The command and its words, as a shell gives them. */
  readonly words: readonly string[];
  /** Its arguments and flags by name. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly stdin?: string | Buffer | Readable;
};

/** What came of it: exit status, the value printed or the sentence of the refusal. */
export type Came = { readonly exit: number; readonly said: string };

export type FrontEnd = 'ssh' | 'api' | 'argv';
export const frontEnds = ['ssh', 'api', 'argv'] as const satisfies readonly FrontEnd[];

/** The commands' bench behind the three ways in, each as far as it goes without a network. */
export async function openFrontEnds() {
  const started = await startApi();
  const { bench, folder, socket } = started;
  const ann: Actor = { name: 'ann', via: 'ssh', fingerprint: 'SHA256:ann' };
  bench.store.keys.add({ name: 'ann', fingerprint: 'SHA256:ann', publicKey: '', createdAt: new Date() });

  const overSsh = async ({ words, stdin }: Wish, signal?: AbortSignal): Promise<Came> => {
    const line = sshArguments({ host: 'h', user: 'u', app: '' } as never, words, {
      terminal: false,
      asks: false,
    }).at(-1);
    return overLine(line ?? '', stdin, signal);
  };
  /** A line as an SSH client sends it. */
  const overLine = async (line: string, stdin?: Wish['stdin'], signal = never): Promise<Came> => {
    const [out, err] = [sink(), sink()];
    const exit = await route(
      line,
      {
        ...{ actor: ann, stdin: source(stdin), stdout: out.stream, stderr: err.stream },
        ...{ signal, protocol: undefined },
      },
      { git: noGit, dispatch: bench.dispatch, refusals: bench.services.refusals, log: silentLog },
    );
    return { exit, said: spoken(out.text(), err.text()) };
  };
  const overApi = async ({ words, body, stdin }: Wish, signal = never): Promise<Came> => {
    const bytes = stdin === undefined ? {} : { stdin: String(stdin) };
    const { status, text, headers } = await ask(socket, {
      method: 'POST',
      path: `/v1/${words[0]?.split(':').join('/')}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, ...bytes }),
      signal,
    });
    const answer: unknown = JSON.parse(text);
    if (status === 200)
      return { exit: Number(headers['wherry-exit'] ?? 0), said: typeof answer === 'string' ? answer : '' };
    const { exit, detail } = answer as { exit: number; detail: string };
    return { exit, said: detail };
  };
  const overArgv = async ({ words, stdin }: Wish, signal = never): Promise<Came> => {
    const [out, err] = [sink(), sink()];
    const given = readArguments(['--data', folder, ...words], {});
    const outcome = await execRemote(
      { socket, words: given.words, signal },
      { stdin: source(stdin), stdout: out.stream, stderr: err.stream },
    );
    return {
      exit: outcome.kind === 'exit' ? outcome.code : Number.NaN,
      said: spoken(out.text(), err.text()),
    };
  };

  const by = { ssh: overSsh, api: overApi, argv: overArgv } satisfies Record<FrontEnd, unknown>;
  return {
    ...started,
    overLine,
    do: (end: FrontEnd, wish: Wish): Promise<Came> => by[end](wish),
    /** Begins it; who asked may leave before the end, of which they are then told nothing. */
    begin(end: FrontEnd, wish: Wish): { leave(): void } {
      const client = new AbortController();
      void by[end](wish, client.signal).catch(() => {});
      return { leave: () => client.abort(new WherryError('interrupted', 'The client is gone.')) };
    },
    /** Bugs that anything behind the front ends met. */
    bugs: () => [...started.faults, ...bench.logged.filter(line => line['err'] !== undefined)],
  };
}

/** Of who stays to the end. */
const never = new AbortController().signal;

const noGit: GitService = {
  receivePack: () => Promise.reject(new Error('no push is expected here')),
  uploadPack: () => Promise.reject(new Error('no fetch is expected here')),
};

function source(bytes: Wish['stdin']): Readable {
  if (bytes instanceof Readable) return bytes;
  return Readable.from(bytes === undefined ? [] : [Buffer.from(bytes)]);
}

function sink() {
  const parts: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      parts.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(parts).toString('utf8') };
}

/** The refusal's sentence without what its lines begin with, else the value without the line's end. */
function spoken(out: string, err: string): string {
  return err === '' ? out.replace(/\n$/, '') : (err.split('\n')[0] ?? '').replace(/^ ! {5}/, '');
}
