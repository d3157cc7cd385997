import { expect, it } from 'vitest';
import { Certificates } from '../../src/edge/certificates.ts';
import { exec } from '../../src/system/exec.ts';
import { createAuthority } from '../support/certificates.ts';
import { demo, startApp, startTestEdge } from './harness.ts';

it('shows no weakness to sslscan, with keys of both kinds', async () => {
  const authority = createAuthority();
  for (const rsa of [undefined, 2048]) {
    const { pem } = authority.issue(['demo.test'], rsa === undefined ? {} : { rsa });
    const certificates = new Certificates(async () => pem);
    const edge = await startTestEdge(undefined, { certificates });
    const app = await startApp((_req, res) => res.end('ok'));
    edge.apply(demo(app.port), { certificates: [{ id: 'a', names: ['demo.test'] }] });
    const { port } = await edge.server.listenSecurely({ host: '127.0.0.1', port: 0 });
    const { stdout } = await exec('sslscan', [
      ...['--no-colour', '--no-check-certificate', '--sni-name=demo.test', '--xml=-'],
      `127.0.0.1:${port}`,
    ]);
    const all = (pattern: RegExp) => [...stdout.matchAll(pattern)].map(match => match[1]);
    const enabled = (type: string) =>
      all(new RegExp(`<protocol type="${type}" version="([^"]+)" enabled="1"`, 'g'));
    expect([...enabled('ssl'), ...enabled('tls')].sort()).toEqual(['1.2', '1.3']);
    const ciphers = all(/<cipher status="[a-z]+" sslversion="[^"]+" bits="\d+" cipher="([^"]+)"/g);
    expect(ciphers.length).toBeGreaterThan(4);
    expect(ciphers.filter(name => !/GCM|POLY1305/.test(name ?? ''))).toEqual([]);
    expect(
      all(/<cipher [^>]*strength="([a-z]+)"/g).filter(
        strength => !/^(?:strong|acceptable)$/.test(strength ?? ''),
      ),
    ).toEqual([]);
    expect(stdout).not.toContain('<compression supported="1"');
    expect(all(/<heartbleed [^>]*vulnerable="(\d)"/g).filter(found => found !== '0')).toEqual([]);
    expect(stdout).not.toMatch(/<renegotiation supported="1" secure="0"/);
  }
});
