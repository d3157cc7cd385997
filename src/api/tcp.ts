import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Attempts } from '../domain/attempts.ts';
import { WherryError } from '../domain/errors.ts';
import type { Log } from '../system/log.ts';
import { limitByAddress } from './crowd.ts';
import { createHandler } from './handler.ts';
import { type Authenticate, identify } from './identify.ts';
import { checkLocalHost, isLoopback } from './loopback.ts';
import type { Pem } from './pem.ts';
import type { Answering } from './route.ts';
import { usualLimits, usualTimes } from './usual.ts';

export type TcpOptions = Omit<Answering, 'limits' | 'times' | 'dispatch'> &
  Partial<Pick<Answering, 'limits' | 'times'>> & {
    readonly address: { readonly host: string; readonly port: number };
    /** Without it, requests and tokens go in clear. */
    readonly tls: Pem | undefined;
    /** Whether they may do so beyond this host. */
    readonly plain: boolean;
    readonly authenticate: Authenticate;
    readonly refused: (address: string, token: string | undefined) => void;
    readonly log: Log;
    /** Milliseconds for a handshake, and for the head of a request; 10,000 unless told. */
    readonly patience?: number;
    /** Monotonic milliseconds. */
    readonly ticks: () => number;
  };

/** Wrong tokens that one address may send at once, and milliseconds until it may send one more. */
const wrongTokens = { most: 10, pause: 6_000 };
const tlsRules = { minVersion: 'TLSv1.2' } as const;
const usualPatience = 10_000;
/** In all, and of one address, which may be a proxy. */
const mostConnections = 500;
const mostOfAddress = 200;

/** The HTTP API for who has a token. It knows no cookies and allows no other origins: pages of elsewhere cannot use it. */
export function createTcpApi({ address, tls, plain, authenticate, refused, ...rest }: TcpOptions) {
  const { log, ticks, ...services } = rest;
  const local = isLoopback(address.host);
  if (!tls) tokensInClear({ address, plain });
  const attempts = new Attempts(wrongTokens, ticks);
  const handler = createHandler({
    answering: { limits: usualLimits, times: usualTimes, ...services },
    log,
    identify(request, response) {
      if (local) checkLocalHost(request.headers.host);
      try {
        return identify(request, { authenticate, attempts, refused });
      } catch (error) {
        challenge(request, response, attempts);
        throw error;
      }
    },
  });
  const { patience = usualPatience } = services;
  const times = {
    ...{ requestTimeout: 0, headersTimeout: patience, keepAliveTimeout: 5_000 },
    // Node looks every 30 seconds unless told, which is how long a place would be held.
    connectionsCheckingInterval: Math.ceil(patience / 4),
  };
  const secure =
    tls && createTlsServer({ ...times, ...tls, ...tlsRules, handshakeTimeout: patience }, handler.handle);
  const server = secure ?? createPlainServer(times, handler.handle);
  server.maxConnections = mostConnections;
  limitByAddress(server, mostOfAddress);

  return {
    /** Resolves to the port. @throws conflict when the address is taken */
    async listen(): Promise<number> {
      await new Promise<void>((resolve, reject) => {
        server.once('error', error => reject(cannotListen(address, error)));
        server.listen(address, resolve);
      });
      return (server.address() as AddressInfo).port;
    },
    /** For connections from now on. Nothing without TLS. */
    renew: (pem: Pem): void => secure?.setSecureContext({ ...pem, minVersion: 'TLSv1.2' }),
    async close(): Promise<void> {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      handler.stop();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A stranger is told how to come back, and sends nothing more. */
function challenge(request: IncomingMessage, response: ServerResponse, attempts: Attempts): void {
  const wait = Math.ceil(attempts.wait(request.socket.remoteAddress ?? 'unknown') / 1000);
  response.setHeader('www-authenticate', 'Bearer realm="wherry"');
  response.setHeader('connection', 'close');
  if (wait > 0) response.setHeader('retry-after', String(wait));
}

/** @throws invalid when they would go so beyond this host, and nobody said that they may */
export function tokensInClear({ address: { host }, plain }: Pick<TcpOptions, 'address' | 'plain'>): void {
  if (plain || isLoopback(host)) return;
  throw new WherryError(
    'invalid',
    `Tokens would go in clear on ${host}. Give --api-certificate, or an address of this host alone, or say --api-plain true.`,
  );
}

function cannotListen({ host, port }: TcpOptions['address'], error: NodeJS.ErrnoException): WherryError {
  const where = `${host}:${port}`;
  if (error.code === 'EADDRINUSE')
    return new WherryError(
      'conflict',
      `Another program listens on ${where} already. Stop it, or choose another --api.`,
    );
  return new WherryError('failed', `Cannot listen on ${where}: ${error.code}.`, { cause: error });
}
