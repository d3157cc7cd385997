import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WherryError } from '../../domain/errors.ts';
import type { ImageRef } from '../../domain/image-ref.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { type DownloadRules, type Headers, type Opened, readAnswer } from '../fetch/download.ts';
import { answerChallenge, type Credentials, notLetIn, parseChallenge } from './challenge.ts';
import { createConnection } from './connection.ts';

// The pulling half of the distribution API. Every byte that comes is held to the digest it was asked by.

export type RegistryClient = ReturnType<typeof createRegistryClient>;

/** Content by its digest. `size` is a promise: a byte more breaks the download off. */
export type Blob = { readonly digest: string; readonly size: number };

export type Manifest = { readonly digest: string; readonly mediaType: string; readonly text: string };

/** Connections that break, as long ones do, are made again so often in all. */
const attempts = 3;
const largestManifest = 4 * 2 ** 20;
const accepted = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** A client for one image's registry, for the length of one pull. */
export function createRegistryClient(options: {
  ref: ImageRef;
  rules: DownloadRules;
  credentials: Credentials | undefined;
}) {
  const { ref, rules, credentials } = options;
  const connection = createConnection({ registry: ref.registry, rules });
  let authorization: string | undefined;

  const send = async (path: string, headers: Headers): Promise<Opened> => {
    const all = authorization === undefined ? headers : { ...headers, authorization };
    return await connection.ask(`/v2/${ref.repository}/${path}`, all);
  };

  const get = async (path: string, what: string, headers: Headers = {}): Promise<Opened> => {
    let opened = await send(path, headers);
    if (opened.response.statusCode === 401 && connection.isOwn(opened)) {
      opened.response.destroy();
      const challenge = parseChallenge(opened.response.headers['www-authenticate']);
      authorization = await answerChallenge(challenge, { ref, credentials, rules });
      opened = await send(path, headers);
    }
    const status = opened.response.statusCode ?? 0;
    if (status === 200) return opened;
    opened.response.destroy();
    throw refused(ref, status, what, credentials);
  };

  return {
    /** The manifest behind a tag or digest. @throws not-found, access-denied, unavailable, invalid */
    async manifest(reference: string): Promise<Manifest> {
      const opened = await get(`manifests/${reference}`, reference, { accept: accepted });
      const body = await readAnswer(opened, largestManifest);
      const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
      const wanted = reference.startsWith('sha256:')
        ? reference
        : opened.response.headers['docker-content-digest'];
      if (wanted !== undefined && wanted !== digest) throw mismatch(ref, String(wanted));
      const mediaType = (opened.response.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
      return { digest, mediaType, text: body.toString('utf8') };
    },

    /** Writes a blob into a new file; gone again when it is not what it should be. @throws invalid, unavailable */
    async blob(blob: Blob, file: string): Promise<void> {
      for (let left = attempts - 1; ; left -= 1) {
        const opened = await get(`blobs/${blob.digest}`, blob.digest);
        try {
          const into = createWriteStream(file, { flags: 'wx', mode: 0o644 });
          return await pipeline(opened.response, held(ref, blob), into, { signal: rules.signal });
        } catch (error) {
          await rm(file, { force: true });
          rules.signal.throwIfAborted();
          if (error instanceof WherryError) throw error;
          if (left === 0) throw brokeOff(ref, error);
        }
      }
    },
  };
}

/** Passes content on while it keeps to its size, and ends well only when it keeps to its digest. */
function held(ref: ImageRef, { digest, size }: Blob): Transform {
  const hash = createHash('sha256');
  let left = size;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      hash.update(chunk);
      done(left < 0 ? mismatch(ref, digest) : null, chunk);
    },
    flush(done) {
      const whole = left === 0 && `sha256:${hash.digest('hex')}` === digest;
      done(whole ? null : mismatch(ref, digest));
    },
  });
}

function brokeOff(ref: ImageRef, cause: unknown): WherryError {
  return new WherryError(
    'unavailable',
    `Registry ${ref.registry} broke off ${attempts} times while it sent a part of ${ref.repository}. Try again.`,
    { cause },
  );
}

function mismatch(ref: ImageRef, digest: string): WherryError {
  return new WherryError(
    'invalid',
    `Registry ${ref.registry} sent other content for ${ref.repository} than ${quoteForPeople(digest.slice(0, 19))} names: it is damaged or was changed. Push the image again, or use another registry.`,
  );
}

function refused(
  ref: ImageRef,
  status: number,
  what: string,
  credentials: Credentials | undefined,
): WherryError {
  if (status === 401 || status === 403) return notLetIn(ref, credentials);
  if (status === 404)
    return new WherryError(
      'not-found',
      `Registry ${ref.registry} has no ${ref.repository} ${quoteForPeople(what)}. Check the image's name and tag.`,
    );
  const remedy = status === 429 ? 'it was asked too often. Log in, or try again later' : 'try again later';
  return new WherryError(
    'unavailable',
    `Registry ${ref.registry} answers with status ${status} for ${ref.repository}: ${remedy}.`,
  );
}
