import { type ClientRequest, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';

/** What the operator has set for whoever fetches: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as curl reads them. */
export type Proxies = {
  readonly https?: string;
  readonly http?: string;
  /** Hosts that are reached without one, `HOST`, `.DOMAIN` or `HOST:PORT`; `*` is all. */
  readonly except: readonly string[];
};

type Environment = Readonly<Record<string, string | undefined>>;

export function readProxies(env: Environment): Proxies {
  // Upper-case HTTP_PROXY is what a request's header could set in a CGI; in a daemon's environment it is the operator's.
  const [https, http] = [env['https_proxy'] || env['HTTPS_PROXY'], env['http_proxy'] || env['HTTP_PROXY']];
  const except = (env['no_proxy'] || env['NO_PROXY'] || '').toLowerCase().split(/[\s,]+/);
  return {
    ...(https ? { https } : {}),
    ...(http ? { http } : {}),
    except: except.filter(name => name !== ''),
  };
}

/** The proxy that a URL is fetched through, or none. @throws unavailable when it is set to what is no such proxy */
export function proxyFor(url: URL, proxies: Proxies | undefined): URL | undefined {
  const set = url.protocol === 'https:' ? proxies?.https : proxies?.http;
  if (!proxies || set === undefined || proxies.except.some(name => matches(url, name))) return undefined;
  const address = set.includes('://') ? set : `http://${set}`;
  const proxy = URL.canParse(address) ? new URL(address) : undefined;
  if (proxy?.protocol === 'http:' && proxy.hostname !== '') return proxy;
  throw new WherryError(
    'unavailable',
    `The proxy that ${url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'} names is not supported. Set it to http://HOST:PORT where the daemon starts.`,
  );
}

function matches(url: URL, name: string): boolean {
  if (name === '*') return true;
  const [, host = '', port] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(name) ?? [];
  const plain = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return (plain === host || plain.endsWith(`.${host}`)) && (port === undefined || port === portOf(url));
}

/** For a request that goes to the proxy itself. */
export function addressOf(proxy: URL): { host: string; port: string } {
  return { host: proxy.hostname.replace(/^\[(.*)\]$/, '$1'), port: portOf(proxy) };
}

/** What a proxy wants to hear of who we are. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '' && proxy.password === '') return {};
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}

/** A connection to the URL's host through a proxy. @throws unavailable */
export async function openTunnel(
  url: URL,
  proxy: URL,
  { signal, silence }: { signal: AbortSignal; silence: number },
): Promise<Socket> {
  const target = `${url.hostname}:${portOf(url)}`;
  const via = `the proxy ${quoteForPeople(proxy.host)}`;
  return await new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown) =>
      reject(
        new WherryError('unavailable', `${quoteForPeople(url.origin)} is not reached: ${via} ${why}.`, {
          cause,
        }),
      );
    const asked: ClientRequest = httpRequest({
      ...{ ...addressOf(proxy), method: 'CONNECT', path: target },
      ...{ headers: { host: target, ...proxyHeaders(proxy) }, agent: false, signal },
    });
    asked.setTimeout(silence, () => asked.destroy(new Error(`no answer within ${silence / 1000} s`)));
    asked.once('connect', (response, socket) => {
      socket.setTimeout(0);
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      refuse(`answers with status ${response.statusCode}`);
    });
    asked.once('response', response => {
      response.destroy();
      refuse(`answers with status ${response.statusCode}`);
    });
    asked.once('error', cause => {
      if (signal.aborted) reject(signal.reason);
      else refuse(`cannot be reached: ${cause.message}`, cause);
    });
    asked.end();
  });
}

export function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80');
}
