import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { rootCertificates } from 'node:tls';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { type AllowedHosts, type CheckedHost, checkHost } from './addresses.ts';

export type DownloadRules = {
  readonly allowed: AllowedHosts;
  /** PEM bundle to trust besides the usual authorities. */
  readonly caFile?: string | undefined;
  readonly signal: AbortSignal;
};

/** Milliseconds in all, and without a byte. */
const longest = 300_000;
const silence = 30_000;
const mostRedirects = 5;
const largest = 2 ** 28;

/** What a URL leads to once all redirects are followed, each to a host that was checked. */
export type Opened = { readonly url: URL; readonly host: CheckedHost; readonly response: IncomingMessage };

/**
 * Opens a URL; the caller reads or destroys the response. The connection goes to the very addresses that were checked, so a
 * name that changes its mind in between gains nothing.
 * @throws access-denied for what must not be fetched; unavailable for any other trouble
 */
export async function open(start: URL, rules: DownloadRules): Promise<Opened> {
  let url = start;
  for (let hops = 0; hops <= mostRedirects; hops += 1) {
    const host = await checkHost(url, rules.allowed);
    const response = await get(url, host, rules);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (status < 300 || status >= 400 || location === undefined) {
      if (status === 200) return { url, host, response };
      response.destroy();
      throw unavailable(url, `answers with status ${status}. Check the URL`);
    }
    response.destroy();
    url = follow(url, location);
  }
  throw unavailable(start, 'redirects too often. Use the address it ends at');
}

/**
 * Downloads into a new file and returns the content's sha256.
 * @throws invalid past 256 MiB; access-denied and unavailable as `open`
 */
export async function download(url: URL, file: string, rules: DownloadRules): Promise<string> {
  const { response } = await open(url, rules);
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
  const signal = AbortSignal.any([rules.signal, AbortSignal.timeout(longest)]);
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

async function get(url: URL, { addresses }: CheckedHost, rules: DownloadRules): Promise<IncomingMessage> {
  const lookup: LookupFunction = (_host, options, found) => {
    const [first] = addresses;
    if (options.all) found(null, [...addresses]);
    else found(null, first?.address ?? '', first?.family);
  };
  const options = {
    lookup,
    signal: rules.signal,
    headers: { 'user-agent': 'git/2.39 (wherry)', accept: '*/*' },
    agent: false,
  } as const;
  const ca =
    rules.caFile === undefined ? {} : { ca: [...rootCertificates, readFileSync(rules.caFile, 'utf8')] };
  return await new Promise((resolve, reject) => {
    const asked: ClientRequest =
      url.protocol === 'https:' ? httpsRequest(url, { ...options, ...ca }) : httpRequest(url, options);
    asked.setTimeout(silence, () => asked.destroy(new Error(`no answer within ${silence / 1000} s`)));
    asked.once('response', resolve);
    asked.once('error', cause => {
      if (rules.signal.aborted) reject(rules.signal.reason);
      else reject(unavailable(url, `cannot be reached: ${cause.message}. Try again later`, cause));
    });
    asked.end();
  });
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
function shown(url: URL): string {
  return quoteForPeople(`${url.origin}${url.pathname}`);
}
