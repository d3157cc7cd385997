import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { rootCertificates } from 'node:tls';
import { CaFault } from './ca-fault.ts';

export type Reply = {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
};

/** Asks a certificate authority over HTTPS. @throws CaFault when it cannot be reached or says too much */
export type Transport = (
  ask: { readonly method: 'GET' | 'HEAD' | 'POST'; readonly url: string; readonly body?: string },
  signal: AbortSignal,
) => Promise<Reply>;

export type TransportOptions = {
  /** PEM of authorities that are trusted besides the public ones. */
  readonly caFile: string | undefined;
  readonly agent: string;
  /** Milliseconds for one answer, from the first word to the last. */
  readonly patience?: number;
};

/** Bytes; a chain takes some ten thousand. */
const longestReply = 256 * 1024;

export function createTransport({ caFile, agent, patience = 30_000 }: TransportOptions): Transport {
  return async ({ method, url, body }, signal) => {
    const { host } = target(url);
    const ca = caFile ? { ca: [...rootCertificates, readFileSync(caFile, 'utf8')] } : {};
    const limit = AbortSignal.timeout(patience);
    return await new Promise<Reply>((resolve, reject) => {
      const outgoing = request(url, {
        method,
        ...ca,
        headers: {
          'user-agent': agent,
          ...(body !== undefined && {
            'content-type': 'application/jose+json',
            'content-length': Buffer.byteLength(body),
          }),
        },
        signal: AbortSignal.any([limit, signal]),
      });
      outgoing.on('error', cause => {
        if (signal.aborted) return reject(signal.reason);
        const why = limit.aborted ? `gave no answer in ${patience / 1000} seconds` : reason(cause);
        reject(new CaFault(`${host} ${why}`, { cause }));
      });
      outgoing.on('response', incoming => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('error', error => outgoing.destroy(error));
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > longestReply) outgoing.destroy(new Error('the answer is too long'));
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
      outgoing.end(body);
    });
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

function reason(cause: Error & { code?: string }): string {
  if (cause.code === 'ENOTFOUND') return 'is not known to DNS';
  if (cause.code === 'ECONNREFUSED') return 'takes no connection';
  if (/CERT|ISSUER|SELF_SIGNED|ALTNAME/.test(cause.code ?? ''))
    return `shows a certificate that is not trusted (${cause.code})`;
  return `cannot be reached (${cause.code ?? cause.message})`;
}
