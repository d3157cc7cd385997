import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { CertificateRef, Route, Routing } from '../../src/domain/route.ts';
import { Certificates } from '../../src/edge/certificates.ts';
import type { EdgeServerOptions } from '../../src/edge/server.ts';
import { createAuthority } from '../support/certificates.ts';
import { cleanUp, startTestEdge } from './harness.ts';

const authority = createAuthority();
const issued = new Map(
  [['demo.test', 'also.test'], ['other.test']].map(names => [names[0] as string, authority.issue(names).pem]),
);
const certificates: readonly CertificateRef[] = [
  { id: 'demo.test', names: ['demo.test', 'also.test'] },
  { id: 'other.test', names: ['other.test'] },
];

/** An edge that speaks TLS for demo.test and also.test by one certificate, and for other.test by another. */
export async function startSecureEdge(routes: readonly Route[], more: Partial<EdgeServerOptions> = {}) {
  const known = new Certificates(async id => issued.get(id) ?? '');
  const edge = await startTestEdge(undefined, { certificates: known, ...more });
  const apply = (next: readonly Route[], shared: Omit<Routing, 'routes'> = {}) =>
    edge.apply(next, { certificates, ...shared });
  apply(routes);
  const { port } = await edge.server.listenSecurely({ host: '127.0.0.1', port: 0 });
  return { ...edge, apply, securePort: port };
}

/** A client that trusts the edge's certificate for this name. */
export async function openSession(port: number, servername = 'demo.test'): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { servername, ca: authority.root });
  session.on('error', () => {});
  cleanUp(() => session.destroy());
  await once(session, 'connect');
  return session;
}

export type Answer = {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly trailers: IncomingHttpHeaders | undefined;
  /** By which the stream ended. */
  readonly code: number | undefined;
};

export function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}, body?: string) {
  const stream = session.request(
    { ':authority': 'demo.test', ...headers },
    { endStream: body === undefined && headers[':method'] === undefined },
  );
  if (!stream.writableEnded) stream.end(body);
  return answerOf(stream);
}

/** All that comes until the stream is closed. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
  let trailers: IncomingHttpHeaders | undefined;
  let text = '';
  stream.on('error', () => {});
  stream.on('response', came => {
    headers = came;
  });
  stream.on('trailers', came => {
    trailers = came;
  });
  stream.setEncoding('latin1').on('data', piece => {
    text += piece;
  });
  await new Promise<void>(resolve => stream.once('close', resolve));
  return { status: headers[':status'], headers, text, trailers, code: stream.rstCode };
}
