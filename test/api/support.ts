import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApi } from '../../src/api/server.ts';
import { silentLog as log } from '../../src/system/log.ts';
import { type Bench, createBench } from '../commands/support.ts';

/** The API on a socket in a folder of its own, over the commands' bench. */
export async function startApi() {
  const bench: Bench = createBench();
  const folder = mkdtempSync(join(tmpdir(), 'wherry-api-'));
  const socket = join(folder, 'control.sock');
  const api = createApi({ socket, dispatch: bench.dispatch, registry: bench.registry, log });
  await api.listen();
  return {
    bench,
    folder,
    socket,
    api,
    async close() {
      await api.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Answered = {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
};

/** One HTTP request over the socket, to its end. */
export function ask(
  socket: string,
  { method = 'GET', path, body }: { method?: string; path: string; body?: unknown },
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = begin(socket, method, path);
    sent.on('error', reject).on('response', response => {
      let text = '';
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
      );
    });
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

export function begin(socket: string, method: string, path: string): ClientRequest {
  return request({ socketPath: socket, method, path, agent: false });
}
