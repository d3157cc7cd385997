import { connect as connectPlain } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Certificates } from '../../src/edge/certificates.ts';
import { readHello } from '../../src/edge/challenge-front.ts';
import { createAuthority } from '../support/certificates.ts';
import { cleanUp, demo, startApp, startTestEdge } from './harness.ts';

const authority = createAuthority();
const pems = new Map([
  ['own', authority.issue(['demo.test']).pem],
  ['proof', authority.issue(['demo.test', 'the-proof.test']).pem],
]);
const own = { id: 'own', names: ['demo.test'] };
const proof = { id: 'proof', names: ['demo.test'], proof: true as const };

async function start() {
  const certificates = new Certificates(async id => pems.get(id) ?? '');
  const edge = await startTestEdge(undefined, { certificates });
  const app = await startApp((_req, res) => res.end('hello'));
  const routes = demo(app.port);
  edge.apply(routes, { certificates: [own, proof] });
  const { port } = await edge.server.listenSecurely({ host: '127.0.0.1', port: 0 });
  return { edge, port, routes };
}

/** What a client is shown that speaks these protocols, and what it gets to a request over it. */
function visit(port: number, protocols: string[], servername = 'demo.test') {
  return new Promise<{ names: string; protocol: string; text: string }>((resolve, reject) => {
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port,
      servername,
      ca: authority.root,
      ALPNProtocols: protocols,
    });
    cleanUp(() => void socket.destroy());
    let text = '';
    let names = '';
    socket.once('secureConnect', () => {
      names = socket.getPeerCertificate().subjectaltname ?? '';
      socket.write('GET / HTTP/1.1\r\nhost: demo.test\r\nconnection: close\r\n\r\n');
    });
    socket.on('data', piece => (text += piece));
    socket.once('close', () => resolve({ names, protocol: String(socket.alpnProtocol), text }));
    socket.once('error', reject);
  });
}

describe('while a host is proved to a certificate authority over TLS', () => {
  it('who asks for its protocol is shown the proof and nothing else, visitors their certificate', async () => {
    const { port } = await start();
    expect(await visit(port, ['acme-tls/1'])).toEqual({
      names: 'DNS:demo.test, DNS:the-proof.test',
      protocol: 'acme-tls/1',
      text: '',
    });
    const visitor = await visit(port, ['http/1.1']);
    expect(visitor.names).toBe('DNS:demo.test');
    expect(visitor.text).toContain('hello');
  });

  it('visitors are served whose first bytes come one by one', async () => {
    const { port } = await start();
    const slow = connectPlain(port, '127.0.0.1');
    cleanUp(() => void slow.destroy());
    // TLS speaks through this; what it says first goes out byte by byte.
    const drop = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        const bytes = [...chunk];
        const next = (): void => {
          const byte = bytes.shift();
          if (byte === undefined) done();
          else slow.write(Buffer.from([byte]), () => setImmediate(next));
        };
        next();
      },
    });
    slow.setNoDelay(true);
    slow.on('data', piece => drop.push(piece));
    const socket = connect({
      socket: drop,
      servername: 'demo.test',
      ca: authority.root,
      ALPNProtocols: ['http/1.1'],
    });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:demo.test');
    socket.destroy();
  });

  it('the protocol is refused for a host that is not to be proved, and once it is over', async () => {
    const { edge, port, routes } = await start();
    await expect(visit(port, ['acme-tls/1'], 'other.test')).rejects.toThrow();
    edge.apply(routes, { certificates: [own] });
    await expect(visit(port, ['acme-tls/1'])).rejects.toThrow();
    expect((await visit(port, ['http/1.1'])).text).toContain('hello');
  });

  it('what is no TLS is closed and counted, as always', async () => {
    const { edge, port } = await start();
    const socket = connectPlain(port, '127.0.0.1');
    cleanUp(() => void socket.destroy());
    socket.on('error', () => {}).write('GET / HTTP/1.1\r\n\r\n');
    await new Promise(resolve => socket.resume().once('close', resolve));
    expect(edge.server.connections).toBe(0);
  });
});

describe('the first record of a connection', () => {
  const record = (text: string) =>
    Buffer.concat([Buffer.from([22, 3, 1, 0, text.length]), Buffer.from(text)]);

  it('is waited for as a whole, and no longer', () => {
    const hello = record('..\nacme-tls/1..');
    for (let size = 1; size < hello.length; size++) expect(readHello(hello.subarray(0, size))).toBe('more');
    expect(readHello(hello)).toEqual({ asksForProof: true });
    expect(readHello(Buffer.concat([record('nothing'), Buffer.from('\nacme-tls/1')]))).toEqual({
      asksForProof: false,
    });
  });

  it('is left alone when it is something else', () => {
    expect(readHello(Buffer.from('GET / HTTP/1.1'))).toEqual({ asksForProof: false });
    expect(readHello(Buffer.from([22, 3, 1, 255, 255, 1]))).toBe('more');
  });
});
