import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTransport } from '../../src/acme/transport.ts';
import { readProxies } from '../../src/system/proxy.ts';
import { openProxy } from '../build/support/proxy-host.ts';
import { createAuthority } from '../support/certificates.ts';

describe('a question to a certificate authority', () => {
  const authority = createAuthority();
  const dir = mkdtempSync(join(tmpdir(), 'wherry-transport-'));
  const caFile = join(dir, 'ca.pem');
  const { signal } = new AbortController();
  let server: Server;
  let respond: (res: ServerResponse) => void;
  const url = (host = 'localhost') => `https://${host}:${(server.address() as AddressInfo).port}/dir`;
  const ask = (
    options: { url?: string; patience?: number; env?: Record<string, string>; signal?: AbortSignal } = {},
  ) =>
    createTransport({
      ...{ caFile, agent: 'test', patience: options.patience ?? 10_000 },
      proxies: options.env && readProxies(options.env),
    })({ method: 'GET', url: options.url ?? url() }, options.signal ?? signal);

  beforeAll(async () => {
    writeFileSync(caFile, authority.root);
    const { chain, key } = authority.issue(['localhost', 'ca.test']);
    server = createServer({ cert: chain, key }, (_req, res) => respond(res));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    rmSync(dir, { recursive: true, force: true });
  });

  it('goes through the proxy of the operator', async () => {
    respond = res => res.end('through');
    const proxy = await openProxy('ann:s3cret');
    try {
      const reply = await ask({ url: url('ca.test'), env: { HTTPS_PROXY: proxy.url } });
      expect(reply).toMatchObject({ status: 200, body: 'through' });
      expect(proxy.asked).toEqual([`CONNECT ${new URL(url('ca.test')).host}`]);
      const refused = ask({
        url: url('ca.test'),
        env: { HTTPS_PROXY: proxy.url.replace('s3cret', 'wrong') },
      });
      await expect(refused).rejects.toThrow(
        /^ca\.test:\d+ cannot be reached \(.*answers with status 407\)\.$/,
      );
      await expect(refused).rejects.not.toThrow(/wrong/);
    } finally {
      await proxy.close();
    }
  });

  it('fails when the answer is cut off', async () => {
    respond = res => {
      res.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => res.destroy(), 20);
    };
    await expect(ask()).rejects.toThrow(/^localhost:\d+ cannot be reached \(aborted\)\.$/);
  });

  it('fails when the answer stops in the middle', async () => {
    respond = res => void res.writeHead(200, { 'content-length': '100' }).write('half');
    await expect(ask({ patience: 400 })).rejects.toThrow(/^localhost:\d+ gave no answer in 0\.4 seconds\.$/);
  });

  it('ends with whoever asks', async () => {
    const stop = new AbortController();
    respond = () => stop.abort(new Error('closing'));
    await expect(ask({ signal: stop.signal })).rejects.toThrow('closing');
  });

  it.each([
    ['https://nobody.invalid/dir', /^nobody\.invalid (is not known to DNS|cannot be reached)/],
    ['https://localhost:1/dir', /^localhost:1 takes no connection\.$/],
    ['ftp://localhost/dir', /is not https\.$/],
    ['nonsense', /is not https\.$/],
  ])('says what is wrong with %s', async (wrong, words) => {
    await expect(ask({ url: wrong })).rejects.toThrow(words);
  });
});
