import type { Readable, Writable } from 'node:stream';
import { exitOf, type GitProcess, killGroup } from './git.ts';

/** A git process that talks with a client. */
export type GitRun = {
  /** Exit status, once the process is gone and its output is handed on. Never rejects. */
  readonly done: Promise<number>;
  /** SIGTERM to the process and its children, so that git removes its temporary files; SIGKILL two seconds later. */
  stop(): void;
};

type Streams = { readonly stdin: Readable; readonly stdout: Writable; readonly stderr: Writable };

const killAfter = 2000;
/** Milliseconds that output may stay open after the exit, held by a forgotten child. */
const lastWords = 5000;

/** Joins the process with the client's streams, which stay open at its end. */
export function joinGit(child: GitProcess, streams: Streams): GitRun {
  feed(streams.stdin, child.stdin);
  const told = [forward(child.stdout, streams.stdout), forward(child.stderr, streams.stderr)];
  const done = exitOf(child).then(async status => {
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise(resolve => {
      timer = setTimeout(resolve, lastWords);
    });
    await Promise.race([Promise.all(told), enough]);
    clearTimeout(timer);
    streams.stdin.unpipe();
    for (const pipe of child.stdio) pipe?.destroy();
    return status;
  });
  return { done, stop: () => stop(child) };
}

function feed(from: Readable, to: Writable | null): void {
  if (!to) return;
  to.on('error', () => from.unpipe(to));
  from.pipe(to);
}

/** When the client no longer takes output it is dropped, so that git can come to its end. */
function forward(from: Readable | null, to: Writable): Promise<void> {
  return new Promise(resolve => {
    if (!from) return resolve();
    const drop = () => {
      from.unpipe(to);
      from.resume();
    };
    const settle = () => {
      to.off('error', drop).off('close', drop);
      resolve();
    };
    to.on('error', drop).on('close', drop);
    from.on('error', settle).on('end', settle).on('close', settle);
    from.pipe(to, { end: false });
  });
}

function stop(child: GitProcess): void {
  killGroup(child, 'SIGTERM');
  const timer = setTimeout(() => killGroup(child, 'SIGKILL'), killAfter);
  child.once('exit', () => clearTimeout(timer));
}
