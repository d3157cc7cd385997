import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPost } from '../../../src/build/fetch/post-json.ts';

let server: Server;
let got: { method: string | undefined; path: string | undefined; type: string | undefined; body: string }[];
beforeEach(async () => {
  got = [];
  server = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    got.push({ method, path, type: headers['content-type'], body: await text(request) });
    if (path === '/moved') return response.writeHead(302, { location: '/' }).end();
    return response.writeHead(204).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise(resolve => server.close(resolve)));

const signal = new AbortController().signal;
const poster = (allowHosts: string) =>
  createPost({ allowHosts, caFile: undefined, proxies: undefined, agent: 'wherry/test' });
const here = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

describe('posting JSON', () => {
  it('sends it whole to a host that the operator allows, and follows nothing', async () => {
    const post = poster(here());
    expect(await post(new URL(`http://${here()}/hook?a=b`), '{"text":"ö"}', signal)).toBe(204);
    expect(got).toEqual([
      { method: 'POST', path: '/hook?a=b', type: 'application/json', body: '{"text":"ö"}' },
    ]);
    expect(await post(new URL(`http://${here()}/moved`), '{}', signal)).toBe(302);
    expect(got.length).toBe(2);
  });

  it.each([
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00:ec2::254]/latest/meta-data/',
    'https://[::ffff:169.254.169.254]/',
    'https://0251.0376.0251.0376/',
    'https://127.0.0.1/',
    'https://10.0.0.1/',
    'https://localhost/',
    'http://example.org/',
  ])('sends nothing to %s', async url => {
    await expect(poster('')(new URL(url), '{}', signal)).rejects.toMatchObject({ code: 'access-denied' });
  });

  it('sends nothing to the same host unless it is allowed', async () => {
    await expect(poster('')(new URL(`http://${here()}/`), '{}', signal)).rejects.toMatchObject({
      code: 'access-denied',
    });
    expect(got).toEqual([]);
  });
});
