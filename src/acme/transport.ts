import { readFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { connect, rootCertificates } from 'node:tls';
import { deadline } from '../system/deadline.ts';
import { openTunnel, type Proxies, proxyFor } from '../system/proxy.ts';
import { CaFault } from './ca-fault.ts';

export type Reply = {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
};

type Ask = { readonly method: 'GET' | 'HEAD' | 'POST'; readonly url: string; readonly body?: string };

/** Asks a certificate authority over HTTPS. @throws CaFault when it cannot be reached or says too much */
export type Transport = (ask: Ask, signal: AbortSignal) => Promise<Reply>;

export type TransportOptions = {
  /** PEM of authorities that are trusted besides the public ones. */
  readonly caFile: string | undefined;
  readonly proxies: Proxies | undefined;
  readonly agent: string;
  /** Milliseconds for one answer, from the first word to the last. */
  readonly patience?: number;
};

/** Bytes; a chain takes some ten thousand. */
const longestReply = 256 * 1024;

export function createTransport(options: TransportOptions): Transport {
  const patience = options.patience ?? 30_000;
  return async (ask, signal) => {
    const url = target(ask.url);
    const limit = deadline(patience);
    const either = AbortSignal.any([limit, signal]);
    try {
      return await answer(await send(url, ask, { ...options, signal: either, silence: patience }));
    } catch (cause) {
      signal.throwIfAborted();
      const why = limit.aborted ? `gave no answer in ${patience / 1000} seconds` : reason(cause);
      throw new CaFault(`${url.host} ${why}`, { cause });
    }
  };
}

/** What an authority sends us to must be HTTPS too (RFC 8555 section 6.1). */
function target(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'https:') return parsed;
  throw new CaFault(
    `The certificate authority sent us to ${JSON.stringify(url.slice(0, 200))}, which is not https`,
  );
}

/** A connection for each: one that was kept could be closed by the authority just as it is used again. */
async function send(
  url: URL,
  { method, body }: Ask,
  { caFile, proxies, agent, signal, silence }: TransportOptions & { signal: AbortSignal; silence: number },
): Promise<ClientRequest> {
  const ca = caFile ? { ca: [...rootCertificates, readFileSync(caFile, 'utf8')] } : {};
  const framed = body !== undefined && {
    'content-type': 'application/jose+json',
    'content-length': Buffer.byteLength(body),
  };
  const options = { method, headers: { 'user-agent': agent, ...framed }, signal };
  const proxy = proxyFor(url, proxies);
  if (!proxy) return request(url, { ...options, ...ca, agent: false }).end(body);
  const socket = await openTunnel(url, proxy, { signal, silence });
  const secured = () => connect({ socket, host: url.hostname, servername: url.hostname, ...ca });
  return request(url, { ...options, createConnection: secured }).end(body);
}

function answer(outgoing: ClientRequest): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      outgoing.destroy();
      reject(error);
    };
    outgoing.on('error', fail);
    outgoing.on('response', incoming => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('error', fail);
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > longestReply) fail(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          header: name => [incoming.headers[name]].flat()[0],
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
  });
}

function reason(cause: unknown): string {
  const { code, message }: NodeJS.ErrnoException = cause instanceof Error ? cause : new Error(String(cause));
  if (code === 'ENOTFOUND') return 'is not known to DNS';
  if (code === 'ECONNREFUSED') return 'takes no connection';
  if (/CERT|ISSUER|SELF_SIGNED|ALTNAME/.test(code ?? ''))
    return `shows a certificate that is not trusted (${code})`;
  return `cannot be reached (${message.replace(/\.$/, '')})`;
}
