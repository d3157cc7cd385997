import { createServer, type Server } from 'node:tls';
import { type Certificates, protocols } from './certificates.ts';
import { intercept, readFirst } from './first-bytes.ts';

/** The protocol by which certificate authorities look at port 443 (RFC 8737). */
const challengeProtocol = 'acme-tls/1';
/** Milliseconds until a handshake has begun, and for the rest of it. */
const helloTimeout = 5000;
const handshakeTimeout = 10_000;

/**
 * While a host is to be proved by TLS-ALPN-01, looks at how each connection begins, and shows those that ask for that protocol the
 * certificate that is the proof. OpenSSL decides on a certificate before anybody is told of the protocol: hence by hand.
 */
export function addChallengeFront(
  server: Server,
  { certificates, refused }: { certificates: Certificates; refused: (reason: string) => void },
): void {
  const challenged = createServer({
    ...protocols,
    handshakeTimeout,
    ALPNProtocols: [challengeProtocol],
    SNICallback(name, done) {
      certificates.proof(name).then(
        context => (context ? done(null, context) : done(new Error('no proof'))),
        error => done(error),
      );
    },
  });
  // The handshake is all (RFC 8737 section 3).
  challenged.on('secureConnection', socket => socket.on('error', () => {}).end());
  challenged.on('tlsClientError', (_error, socket) => socket.on('error', () => {}).destroy());

  intercept(server, (socket, serve) => {
    if (!certificates.proving) {
      serve();
      return;
    }
    readFirst(socket, {
      timeout: helloTimeout,
      read: readHello,
      found: ({ asksForProof }, bytes) => ({
        rest: bytes,
        serve: asksForProof ? () => challenged.emit('connection', socket) : serve,
      }),
      refused: () => refused('tls-handshake'),
    });
  });
}

/** The first record of a connection (RFC 8446 section 5.1), which holds what the client speaks; anything else is left to TLS. */
export function readHello(bytes: Buffer): { asksForProof: boolean } | 'more' {
  if (bytes[0] !== 22) return { asksForProof: false };
  if (bytes.length < 5) return 'more';
  const length = 5 + Math.min(bytes.readUInt16BE(3), 16_384);
  if (bytes.length < length) return 'more';
  const name = Buffer.from(`\n${challengeProtocol}`);
  return { asksForProof: bytes.subarray(0, length).includes(name) };
}
