import { createPublicKey, type JsonWebKey, randomBytes, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../support/certificates.ts';

/** What it says in place of the truth; `stall` says nothing, ever. */
type Lie = { status?: number; body?: unknown; headers?: Record<string, string> } | 'stall';

type Asked = {
  readonly path: string;
  readonly header: { readonly nonce?: string; readonly kid?: string; readonly url?: string };
  readonly payload: Record<string, unknown>;
};

type FakeOrder = { readonly host: string; status: string; certificate?: string; error?: object };

/** A certificate authority on loopback that checks signatures and nonces, and lies where it is told to. */
export async function startFakeCa() {
  const authority = createAuthority();
  const dir = mkdtempSync(join(tmpdir(), 'wherry-fake-ca-'));
  const caFile = join(dir, 'ca.pem');
  writeFileSync(caFile, authority.root);
  const { pem } = authority.issue(['localhost']);
  const nonces = new Set<string>();
  const accounts = new Map<string, JsonWebKey>();
  const orders = new Map<string, FakeOrder>();
  const asked: Asked[] = [];
  const says = {
    days: 30,
    /** What is found at a host for a token; undefined for nothing. */
    look: (_host: string, _token: string): string | undefined => undefined,
    /** Looked at before anything else is. */
    lie: (_asked: Asked, _order: FakeOrder | undefined): Lie | undefined => undefined,
    window: undefined as { start: string; end: string } | undefined,
    revoked: [] as string[],
  };

  const fresh = () => {
    const nonce = randomBytes(16).toString('base64url');
    nonces.add(nonce);
    return nonce;
  };
  const answer = (
    res: ServerResponse,
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
  ) => {
    const type = status >= 400 ? 'application/problem+json' : 'application/json';
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    res.writeHead(status, { 'content-type': type, 'replay-nonce': fresh(), ...headers }).end(text);
  };
  const problem = (res: ServerResponse, status: number, type: string, detail: string) =>
    answer(res, status, { type: `urn:ietf:params:acme:error:${type}`, detail });

  const server = createServer({ cert: pem, key: pem }, (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', chunk => chunks.push(chunk));
    req.on('end', () => {
      const path = req.url ?? '/';
      const jws = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
      const header = jws ? JSON.parse(Buffer.from(jws.protected, 'base64url').toString()) : {};
      const payload = jws?.payload ? JSON.parse(Buffer.from(jws.payload, 'base64url').toString()) : {};
      const order = orders.get(path.split('/')[2] ?? '');
      asked.push({ path, header, payload });
      const lie = says.lie({ path, header, payload }, order);
      if (lie === 'stall') return;
      if (lie) return answer(res, lie.status ?? 200, lie.body ?? '', lie.headers ?? {});
      if (req.method === 'POST') {
        const jwk = header.jwk ?? accounts.get(header.kid);
        if (!jwk) return problem(res, 400, 'accountDoesNotExist', 'no such account');
        if (!nonces.delete(header.nonce)) return problem(res, 400, 'badNonce', 'not ours');
        const key = createPublicKey({ key: jwk, format: 'jwk' });
        const data = Buffer.from(`${jws.protected}.${jws.payload}`);
        const signature = Buffer.from(jws.signature, 'base64url');
        if (
          !verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature) ||
          header.url !== url(path)
        )
          return problem(res, 401, 'unauthorized', 'not signed so');
      }
      serve({ path, header, payload, order, res });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = (path: string) => `https://localhost:${(server.address() as AddressInfo).port}${path}`;

  const show = (id: string, order: FakeOrder) => ({
    status: order.status,
    identifiers: [{ type: 'dns', value: order.host }],
    authorizations: [url(`/authz/${id}`)],
    finalize: url(`/finalize/${id}`),
    ...(order.certificate && { certificate: url(`/cert/${id}`) }),
    ...(order.error && { error: order.error }),
  });
  const token = (id: string) => `token-${id}`;

  function serve(given: Asked & { order: FakeOrder | undefined; res: ServerResponse }) {
    const { path, header, payload, order, res } = given;
    const [, what, id = ''] = path.split('/');
    if (what === 'dir')
      return answer(res, 200, {
        newNonce: url('/nonce'),
        newAccount: url('/account'),
        newOrder: url('/order'),
        revokeCert: url('/revoke'),
        ...(says.window && { renewalInfo: url('/ari') }),
      });
    if (what === 'nonce') return answer(res, 200, '');
    if (what === 'ari') return answer(res, 200, { suggestedWindow: says.window }, { 'retry-after': '21600' });
    if (what === 'account') {
      const { jwk } = header as unknown as { jwk: JsonWebKey };
      accounts.set(url(`/account/${jwk.x}`), jwk);
      return answer(res, 201, { status: 'valid' }, { location: url(`/account/${jwk.x}`) });
    }
    if (what === 'revoke') {
      says.revoked.push(String(payload['certificate']));
      return answer(res, 200, '');
    }
    if (what === 'order' && id === '') {
      const made = randomBytes(6).toString('hex');
      const [{ value }] = payload['identifiers'] as [{ value: string }];
      const placed: FakeOrder = { host: value, status: 'pending' };
      orders.set(made, placed);
      return answer(res, 201, show(made, placed), { location: url(`/order/${made}`) });
    }
    if (!order) return problem(res, 404, 'malformed', 'no such thing');
    if (what === 'order') return answer(res, 200, show(id, order));
    if (what === 'authz')
      return answer(res, 200, {
        status: order.status === 'pending' ? 'pending' : order.status === 'invalid' ? 'invalid' : 'valid',
        identifier: { type: 'dns', value: order.host.replace('*.', '') },
        challenges: ['http-01', 'dns-01'].map(type => ({
          ...{ type, url: url(`/chall/${id}`), token: token(id), error: order.error },
        })),
      });
    if (what === 'chall') {
      const seen = says.look(order.host, token(id))?.startsWith(`${token(id)}.`);
      order.status = seen ? 'ready' : 'invalid';
      if (!seen)
        order.error = {
          type: 'urn:ietf:params:acme:error:connection',
          detail: '192.0.2.1: Connection refused',
        };
      return answer(res, 200, { type: 'http-01' });
    }
    if (what === 'finalize') {
      const csr = Buffer.from(String(payload['csr']), 'base64url').toString('base64');
      const request = `-----BEGIN CERTIFICATE REQUEST-----\n${csr.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
      order.certificate = authority.sign(request, says.days);
      order.status = 'valid';
      return answer(res, 200, show(id, order));
    }
    if (what === 'cert') return answer(res, 200, order.certificate ?? '');
    problem(res, 404, 'malformed', 'no such thing');
  }

  return {
    directory: url('/dir'),
    caFile,
    says,
    asked,
    /** How often paths that begin so were asked for. */
    count: (beginning: string) => asked.filter(({ path }) => path.startsWith(beginning)).length,
    forgetAccounts: () => accounts.clear(),
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type FakeCa = Awaited<ReturnType<typeof startFakeCa>>;
