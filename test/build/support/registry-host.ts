import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { sha256 } from './oci-images.ts';

export type RegistryHost = Awaited<ReturnType<typeof openRegistryHost>>;

export type PushedImage = {
  readonly layers: readonly Buffer[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly architecture?: string;
  readonly diffIds?: readonly string[];
  readonly history?: readonly unknown[];
  /** Also puts it into an index, beside images for other platforms. */
  readonly index?: boolean;
};

/** What a registry may do to whoever pulls. */
export type Mischief = {
  /** Sends this in place of a blob's or manifest's content. */
  change?: (content: Buffer, kind: 'manifest' | 'blob') => Buffer;
  /** Ends the connection after so many bytes of a blob. */
  cutAt?: number;
  /** How many connections are ended so; all unless told. */
  cuts?: number;
  /** Says nothing once a blob was asked for. */
  silent?: boolean;
  /** Sends blobs a byte a tick. */
  drip?: boolean;
  /** Sends blobs from there. */
  blobsFrom?: string;
  /** Answers everything so. */
  status?: number;
  /** Asks for tokens there. */
  realm?: string;
  /** Tells this digest for every manifest. */
  digest?: string;
};

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};

/** A distribution server on loopback, of the tests' own, for images that tests make. Stands in for registries on the Internet. */
export async function openRegistryHost(
  options: {
    /** Lets only this user pull. */
    login?: { user: string; password: string; by: 'bearer' | 'basic' };
    tls?: { key: Buffer; cert: Buffer };
  } = {},
) {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { type: string; content: Buffer }>();
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const mischief: Mischief = {};
  const { login } = options;

  const answer = (request: IncomingMessage, response: ServerResponse): unknown => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    requests.push(`${request.method} ${url.pathname}`);
    authorizations.push(request.headers.authorization);
    if (url.pathname === '/token') return token(request, response, url);
    if (mischief.status !== undefined) return end(response, mischief.status, '{"errors":[]}');
    if (login && !isLetIn(request)) return challenge(response);
    if (mischief.realm !== undefined) return challenge(response);
    if (url.pathname === '/v2/') return end(response, 200, '{}');
    const [, repository = '', kind, reference = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (kind === 'manifests') return manifest(response, `${repository}:${reference}`);
    const content = kind === 'blobs' ? blobs.get(reference) : undefined;
    if (!content) return end(response, 404, '{"errors":[{"code":"BLOB_UNKNOWN"}]}');
    if (mischief.blobsFrom !== undefined) {
      response.writeHead(307, { location: `${mischief.blobsFrom}${url.pathname}` });
      return response.end();
    }
    return blob(response, content);
  };
  const isLetIn = ({ headers: { authorization } }: IncomingMessage): boolean =>
    authorization === (login?.by === 'basic' ? basicOf(login) : 'Bearer let-in');
  const challenge = (response: ServerResponse) => {
    const realm = mischief.realm ?? `${url}/token`;
    const how =
      login?.by === 'basic' ? 'Basic realm="here"' : `Bearer realm="${realm}",service="tests",scope="x"`;
    response.writeHead(401, { 'www-authenticate': how });
    response.end('{"errors":[{"code":"UNAUTHORIZED"}]}');
  };
  const token = (request: IncomingMessage, response: ServerResponse, asked: URL) => {
    const fits = login && request.headers.authorization === basicOf(login);
    const scope = asked.searchParams.get('scope');
    const scoped = scope === null || /^repository:[a-z/]+:pull$/.test(scope);
    end(response, fits && scoped ? 200 : 401, JSON.stringify({ token: 'let-in' }));
  };
  const manifest = (response: ServerResponse, name: string): unknown => {
    const found = manifests.get(name);
    if (!found) return end(response, 404, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    response.writeHead(200, {
      'content-type': found.type,
      'docker-content-digest': mischief.digest ?? sha256(found.content),
    });
    return response.end(mischief.change?.(found.content, 'manifest') ?? found.content);
  };
  const blob = (response: ServerResponse, whole: Buffer): unknown => {
    if (mischief.silent) return undefined;
    const content = mischief.change?.(whole, 'blob') ?? whole;
    if (mischief.cutAt !== undefined && mischief.cuts !== 0) {
      if (mischief.cuts !== undefined) mischief.cuts -= 1;
      response.writeHead(200, { 'content-length': String(content.length) });
      return response.write(content.subarray(0, mischief.cutAt), () => response.destroy());
    }
    response.writeHead(200);
    if (!mischief.drip) return response.end(content);
    let at = 0;
    const timer = setInterval(() => response.write(content.subarray(at, ++at)), 50);
    return response.on('close', () => clearInterval(timer));
  };

  const server = options.tls ? createSecureServer(options.tls, answer) : createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  const url = `${options.tls ? 'https' : 'http'}://${host}`;

  const putBlob = (content: Buffer) => {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    blobs.set(digest, content);
    return { digest, size: content.length };
  };
  const putManifest = (repository: string, tag: string, type: string, value: unknown) => {
    const content = Buffer.from(JSON.stringify(value));
    for (const reference of [tag, sha256(content)])
      manifests.set(`${repository}:${reference}`, { type, content });
    return { mediaType: type, digest: sha256(content), size: content.length };
  };

  return {
    host,
    url,
    requests,
    /** The Authorization of each request. */
    authorizations,
    mischief,
    /** Pushes an image; the digest of what the tag leads to. */
    push(repository: string, tag: string, image: PushedImage): string {
      const architecture = image.architecture ?? (process.arch === 'x64' ? 'amd64' : process.arch);
      const config = Buffer.from(
        JSON.stringify({
          architecture,
          os: 'linux',
          config: image.config ?? {},
          ...(image.history ? { history: image.history } : {}),
          rootfs: { type: 'layers', diff_ids: image.diffIds ?? image.layers.map(sha256) },
        }),
      );
      const made = putManifest(repository, tag, types.manifest, {
        schemaVersion: 2,
        mediaType: types.manifest,
        config: { mediaType: types.config, ...putBlob(config) },
        layers: image.layers.map(layer => ({ mediaType: types.layer, ...putBlob(gzipSync(layer)) })),
      });
      if (!image.index) return made.digest;
      const zeros = `sha256:${'0'.repeat(64)}`;
      const other = { mediaType: types.manifest, digest: zeros, size: 2 };
      return putManifest(repository, tag, types.index, {
        schemaVersion: 2,
        mediaType: types.index,
        manifests: [
          { ...other, platform: { os: 'windows', architecture } },
          { ...other, platform: { os: 'linux', architecture: 's390x' } },
          { ...made, platform: { os: 'linux', architecture } },
          { ...other, platform: { os: 'unknown', architecture: 'unknown' } },
        ],
      }).digest;
    },
    /** A manifest of any content under a tag. */
    pushRaw: (repository: string, tag: string, type: string, value: unknown) =>
      putManifest(repository, tag, type, value).digest,
    /** Deletes every manifest of a repository. */
    forget(repository: string): void {
      for (const name of manifests.keys()) if (name.startsWith(`${repository}:`)) manifests.delete(name);
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

function basicOf({ user, password }: { user: string; password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(text);
}
