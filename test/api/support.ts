import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOnce } from '../../src/api/once.ts';
import { type ApiOptions, createApi } from '../../src/api/server.ts';
import { silentLog } from '../../src/system/log.ts';
import { type Bench, createBench } from '../commands/support.ts';

/** The API on a socket in a folder of its own, over the commands' bench. */
export async function startApi(given: Partial<ApiOptions> | ((bench: Bench) => Partial<ApiOptions>) = {}) {
  const bench: Bench = createBench();
  const folder = mkdtempSync(join(tmpdir(), 'wherry-api-'));
  const socket = join(folder, 'control.sock');
  const faults: unknown[] = [];
  const log = { ...silentLog, error: (fields: unknown) => void faults.push(fields) };
  const api = createApi({
    socket,
    ...servicesOf(bench),
    log,
    ...(typeof given === 'function' ? given(bench) : given),
  });
  await api.listen();
  return {
    bench,
    folder,
    socket,
    /** Bugs that the API logged. */
    faults,
    api,
    async close() {
      await api.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const servicesOf = ({ dispatch, callJson, registry, store }: Bench) => ({
  dispatch,
  callJson,
  registry,
  once: createOnce({ kept: store.answers, now: () => new Date() }),
  log: silentLog,
  version: '1.2.3',
});

export type Answered = {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
};

type Question = {
  method?: string;
  path: string;
  /** Text and bytes as they are, anything else as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Aborted, it breaks the connection off. */
  signal?: AbortSignal;
};

/** An address on TCP, by TLS with a certificate of the authority. */
export type Target = { readonly host: string; readonly port: number; readonly ca?: string };

/** One HTTP request over the socket, to its end. */
export function ask(socket: string | Target, { body, ...question }: Question): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = begin(socket, question);
    sent.on('error', reject).on('response', response => {
      let text = '';
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk;
      });
      response
        .on('error', reject)
        .on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    const asItIs = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
    sent.end(asItIs ? body : JSON.stringify(body));
  });
}

export function begin(
  socket: string | Target,
  { method = 'GET', path, headers = {}, signal }: Omit<Question, 'body'>,
): ClientRequest {
  const target = typeof socket === 'string' ? { socketPath: socket } : socket;
  const send = 'ca' in target ? secureRequest : request;
  return send({ ...target, method, path, headers, agent: false, ...(signal ? { signal } : {}) });
}
