import type { ServerResponse } from 'node:http';
import { WherryError } from '../domain/errors.ts';
import { problemOf } from './problem.ts';

/** An answer of many parts, a line each. The first decides the status; an error after it is the last line. */
export function createStream(response: ServerResponse) {
  const begin = () => {
    if (!response.headersSent)
      response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  };
  const put = async (part: unknown): Promise<void> => {
    begin();
    if (!response.destroyed && !response.write(`${JSON.stringify(part ?? null)}\n`)) await drained(response);
  };
  return {
    item: put,
    /** @throws WherryError, while nothing is sent yet */
    async run(work: () => Promise<unknown>): Promise<void> {
      try {
        await work();
      } catch (error) {
        if (!response.headersSent || !(error instanceof WherryError)) throw error;
        await put({ problem: problemOf(error) });
      }
      begin();
      response.end();
    },
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
