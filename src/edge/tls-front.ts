import { randomBytes } from 'node:crypto';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { type Certificates, protocols } from './certificates.ts';
import { addChallengeFront } from './challenge-front.ts';

export type TlsFrontOptions = {
  readonly certificates: Certificates;
  /** A connection whose handshake is done. */
  readonly accepted: (socket: TLSSocket) => void;
  /** A handshake that failed, by its reason: for counting. */
  readonly refused: (reason: string) => void;
};

/** Milliseconds that a handshake may take. */
const handshakeTimeout = 10_000;
/** Milliseconds after which new session tickets get another key; older tickets mean a full handshake. */
const ticketLife = 12 * 3_600_000;

/** Takes TLS off connections: certificates by name, session tickets whose keys are never stored and change. */
export function createTlsFront(options: TlsFrontOptions): Server {
  const { certificates } = options;
  let ticketKeys = randomBytes(48);
  const server = createServer({
    ...protocols,
    honorCipherOrder: true,
    handshakeTimeout,
    ALPNProtocols: ['h2', 'http/1.1'],
    ticketKeys,
    SNICallback(name, done) {
      certificates.context(name).then(
        context => (context ? done(null, context) : done(new Error('no certificate'))),
        error => done(error),
      );
    },
  });
  addChallengeFront(server, { certificates, refused: options.refused });
  server.on('secureConnection', options.accepted);
  server.on('tlsClientError', (_error, socket) => {
    options.refused('tls-handshake');
    socket.on('error', () => {});
    socket.destroy();
  });
  // Without a name there is no callback: the server's own context is what they get.
  certificates.onFallback = pem =>
    server.setSecureContext({ ...protocols, ticketKeys, ...(pem !== undefined && { cert: pem, key: pem }) });
  certificates.tellFallback();
  const rotation = setInterval(() => {
    ticketKeys = randomBytes(48);
    server.setTicketKeys(ticketKeys);
  }, ticketLife);
  rotation.unref();
  server.once('close', () => clearInterval(rotation));
  return server;
}
