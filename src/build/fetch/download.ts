import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect, rootCertificates } from 'node:tls';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { deadline } from '../../system/deadline.ts';
import { addressOf, openTunnel, type Proxies, proxyFor, proxyHeaders } from '../../system/proxy.ts';
import { type AllowedHosts, type CheckedHost, checkHost } from './addresses.ts';

export type DownloadRules = {
  readonly allowed: AllowedHosts;
  /** PEM bundle to trust besides the usual authorities. */
  readonly caFile?: string | undefined;
  readonly signal: AbortSignal;
  /** What is fetched through a proxy; nothing when left out. */
  readonly proxies?: Proxies | undefined;
  /** Milliseconds without a byte; 30 s unless told. */
  readonly silence?: number;
};

/** Milliseconds in all, and without a byte. */
const longest = 300_000;
const usualSilence = 30_000;
const mostRedirects = 5;
const largest = 2 ** 28;

/** What a URL leads to once all redirects are followed, each to a host that was checked. */
export type Opened = {
  readonly url: URL;
  readonly host: CheckedHost;
  /** The one that it was fetched through. */
  readonly proxy: URL | undefined;
  readonly response: IncomingMessage;
};

/** Header lines by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/**
 * Opens a URL that answers with status 200; the caller reads or destroys the response.
 * @throws access-denied for what must not be fetched; unavailable for any other trouble
 */
export async function open(start: URL, rules: DownloadRules, headers: Headers = {}): Promise<Opened> {
  const opened = await ask(start, rules, headers);
  const { response, url } = opened;
  if (response.statusCode === 200) return opened;
  response.destroy();
  throw unavailable(url, `answers with status ${response.statusCode}. Check the URL`);
}

/**
 * Asks a URL and follows its redirects; any other status is the caller's to judge. The connection goes to the very addresses
 * that were checked, so a name that changes its mind in between gains nothing; credentials go to the first host alone.
 * @throws access-denied for what must not be fetched; unavailable when nothing answers
 */
export async function ask(start: URL, rules: DownloadRules, headers: Headers = {}): Promise<Opened> {
  let url = start;
  let sent = headers;
  for (let hops = 0; hops <= mostRedirects; hops += 1) {
    const proxy = proxyFor(url, rules.proxies);
    const host = await checkHost(url, rules.allowed, undefined, proxy !== undefined);
    const response = await get(url, { ...rules, host, proxy, headers: sent });
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (status < 300 || status >= 400 || location === undefined) return { url, host, proxy, response };
    response.destroy();
    const next = follow(url, location);
    if (next.origin !== url.origin) {
      const { authorization: _, ...others } = sent;
      sent = others;
    }
    url = next;
  }
  throw unavailable(start, 'redirects too often. Use the address it ends at');
}

/** All of a small answer. @throws invalid past `most` bytes, unavailable when it breaks off */
export async function readAnswer({ url, response }: Opened, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most)
        throw new WherryError('invalid', `${shown(url)} answers with more than ${most / 2 ** 20} MiB.`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof WherryError) throw error;
    throw unavailable(url, 'broke off while it was read. Try again', error);
  }
  return Buffer.concat(chunks);
}

/**
 * Downloads into a new file and returns the content's sha256.
 * @throws invalid past 256 MiB; access-denied and unavailable as `open`
 */
export async function download(
  url: URL,
  file: string,
  rules: DownloadRules,
  headers: Headers = {},
): Promise<string> {
  const { response } = await open(url, rules, headers);
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      if (size <= largest) return done(null, chunk);
      done(
        new WherryError('invalid', `${shown(url)} is larger than ${largest / 2 ** 20} MiB. Make it smaller.`),
      );
    },
  });
  const signal = AbortSignal.any([rules.signal, deadline(longest)]);
  try {
    await pipeline(response, measure, createWriteStream(file, { flags: 'wx' }), { signal });
  } catch (error) {
    rules.signal.throwIfAborted();
    throw error instanceof WherryError
      ? error
      : unavailable(url, 'broke off while it was downloaded. Try again', error);
  }
  return hash.digest('hex');
}

/**
 * Posts to a URL, by the same rules as what is fetched; a redirect is not followed. The answer's body is not read.
 * @returns its status @throws access-denied for where nothing must be sent, unavailable when nothing answers
 */
export async function post(
  url: URL,
  { headers, body }: { readonly headers: Headers; readonly body: string },
  rules: DownloadRules,
): Promise<number> {
  const proxy = proxyFor(url, rules.proxies);
  const host = await checkHost(url, rules.allowed, undefined, proxy !== undefined);
  const response = await get(url, { ...rules, host, proxy, headers, body });
  response.destroy();
  return response.statusCode ?? 0;
}

type Sending = DownloadRules & { host: CheckedHost; proxy: URL | undefined; headers: Headers; body?: string };

async function get(url: URL, how: Sending): Promise<IncomingMessage> {
  const { silence = usualSilence, signal } = how;
  const ask = await asking(url, how, silence);
  return await new Promise((resolve, reject) => {
    const asked = ask();
    asked.setTimeout(silence, () => asked.destroy(new Error(`no answer within ${silence / 1000} s`)));
    asked.once('response', resolve);
    asked.once('error', cause => {
      if (signal.aborted) reject(signal.reason);
      else reject(unavailable(url, `cannot be reached: ${cause.message}. Try again later`, cause));
    });
    asked.end(how.body);
  });
}

/** A request to the addresses that were checked, or to the proxy, which finds its own. */
async function asking(
  url: URL,
  { host, proxy, headers, body, signal, caFile }: Sending,
  silence: number,
): Promise<() => ClientRequest> {
  const method = body === undefined ? 'GET' : 'POST';
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const sent = { 'user-agent': 'git/2.39 (wherry)', accept: '*/*', ...length, ...headers };
  const ca = caFile === undefined ? {} : { ca: [...rootCertificates, readFileSync(caFile, 'utf8')] };
  if (!proxy) {
    const options = { method, lookup: lookupOf(host), signal, headers: sent, agent: false } as const;
    return () =>
      url.protocol === 'https:' ? httpsRequest(url, { ...options, ...ca }) : httpRequest(url, options);
  }
  if (url.protocol === 'http:') {
    const whole = { host: url.host, ...sent, ...proxyHeaders(proxy) };
    return () =>
      httpRequest({ ...addressOf(proxy), method, path: url.href, headers: whole, signal, agent: false });
  }
  const socket = await openTunnel(url, proxy, { signal, silence });
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const servername = isIP(name) === 0 ? { servername: name } : {};
  const createConnection = () => connect({ socket, host: name, ...servername, ...ca });
  return () => httpsRequest(url, { method, signal, headers: sent, createConnection });
}

function lookupOf({ addresses }: CheckedHost): LookupFunction {
  return (_host, options, found) => {
    const [first] = addresses;
    if (options.all) found(null, [...addresses]);
    else found(null, first?.address ?? '', first?.family);
  };
}

function follow(from: URL, location: string): URL {
  let url: URL;
  try {
    url = new URL(location, from);
  } catch {
    throw unavailable(from, 'redirects to what is no URL. Check it');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new WherryError(
      'access-denied',
      `${shown(from)} redirects to ${quoteForPeople(url.protocol)}, which is not fetched.`,
    );
  url.username = '';
  url.password = '';
  return url;
}

function unavailable(url: URL, what: string, cause?: unknown): WherryError {
  return new WherryError('unavailable', `${shown(url)} ${what}.`, { cause });
}

/** Without its query, which may hold a token. */
export function shown(url: URL): string {
  return quoteForPeople(`${url.origin}${url.pathname}`);
}
