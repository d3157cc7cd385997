import type { ServerResponse } from 'node:http';
import type { JsonClient } from '../commands/call-json.ts';
import type { Progress } from '../domain/push.ts';
import { type Event, type Form, forms } from './event.ts';
import type { Outcome } from './outcome.ts';

export type StreamTimes = {
  /** Milliseconds between signs of life. */
  readonly heartbeat: number;
  /** Signs of life after which a client that took nothing in between is cut off. */
  readonly missed: number;
};

/** Bytes that wait for a slow client, from which on progress is left out. Items are never: their command waits. */
const mostWaiting = 256 * 1024;

/**
 * An answer of many parts, in lines or events. An error before the first part is an answer of its own; one after it is the last
 * part.
 */
export function createStream(
  response: ServerResponse,
  { form, kind, times }: { form: Form; kind: 'item' | 'result'; times: StreamTimes },
) {
  const { type, write, heartbeat } = forms[form];
  let leftOut = 0;

  const open = (): void => {
    if (response.headersSent || response.destroyed) return;
    // A proxy on the way is to pass parts on at once.
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.flushHeaders();
  };
  const put = (event: Event): boolean => {
    open();
    return response.destroyed || response.write(write(event));
  };
  const told = (level: string, text: string): void => {
    if (response.writableLength > mostWaiting) {
      leftOut += 1;
      return;
    }
    if (leftOut > 0) put({ kind: 'progress', value: { level: 'left-out', text: `${leftOut} lines` } });
    leftOut = 0;
    put({ kind: 'progress', value: { level, text } });
  };
  const client: JsonClient = {
    progress: progressTo(told),
    open,
    async give(value) {
      if (!put({ kind, value })) await drained(response);
    },
  };

  return {
    client,
    /** Whether anything of the answer is sent. */
    begun: () => response.headersSent,
    /** Gives signs of life while the work is done. */
    async during<Result>(work: () => Promise<Result>): Promise<Result> {
      const beat = () => {
        open();
        response.write(heartbeat);
      };
      const stop = keepAlive(response, { times, beat });
      try {
        return await work();
      } finally {
        stop();
      }
    },
    end(outcome: Outcome): void {
      if (outcome.kind === 'result') put({ kind: 'end', value: { exit: outcome.exit } });
      else put({ kind: 'problem', value: outcome.problem });
      response.end();
    },
  };
}

function progressTo(tell: (level: string, text: string) => void): Progress {
  return {
    header: text => tell('header', text),
    step: text => tell('step', text),
    detail: text => tell('detail', text),
    warn: text => tell('warn', text),
    raw: text => tell('raw', text),
  };
}

function keepAlive(
  response: ServerResponse,
  { times, beat }: { times: StreamTimes; beat: () => void },
): () => void {
  let missed = 0;
  const timer = setInterval(() => {
    if (response.destroyed) return;
    missed = response.writableNeedDrain ? missed + 1 : 0;
    if (missed >= times.missed) response.destroy();
    else if (missed === 0) beat();
  }, times.heartbeat);
  timer.unref();
  return () => clearInterval(timer);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
    if (response.destroyed) done();
  });
}
