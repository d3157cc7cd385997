import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { ImageRef } from '../../domain/image-ref.ts';
import { ask, type DownloadRules, type Headers, readAnswer, shown } from '../fetch/download.ts';

/** Who a registry is told that we are. */
export type Credentials = { readonly user: string; readonly password: string };

export type Challenge =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service?: string };

const largestToken = 2 ** 16;

/** Reads WWW-Authenticate (RFC 7235; distribution's token specification); undefined for a way in that is not known. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined || header.length > 4096) return undefined;
  if (/^basic\b/i.test(header)) return { kind: 'basic' };
  if (!/^bearer\s/i.test(header)) return undefined;
  const parameters = new Map(
    [...header.matchAll(/([a-z_]+)="([^"]*)"/gi)].map(([, name = '', value = '']) => [
      name.toLowerCase(),
      value,
    ]),
  );
  const realm = parameters.get('realm');
  const service = parameters.get('service');
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  return { kind: 'bearer', realm, ...(service === undefined ? {} : { service }) };
}

export function basic({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

const answer = z.looseObject({
  token: z.string().max(largestToken).nullish(),
  access_token: z.string().max(largestToken).nullish(),
});

/**
 * What to send as Authorization after a challenge: a token to pull this repository and nothing else, without credentials where
 * none are known.
 * @throws access-denied when the registry wants credentials that we lack or that are wrong
 */
export async function answerChallenge(
  challenge: Challenge | undefined,
  { ref, credentials, rules }: { ref: ImageRef; credentials: Credentials | undefined; rules: DownloadRules },
): Promise<string> {
  if (challenge?.kind === 'basic' && credentials) return basic(credentials);
  if (challenge?.kind !== 'bearer') throw notLetIn(ref, credentials);
  const query = { scope: `repository:${ref.repository}:pull` };
  const { token, status, from } = await askForToken(challenge, { query, credentials, rules });
  if (token !== undefined) return `Bearer ${token}`;
  if (isRefusal(status)) throw notLetIn(ref, credentials);
  throw new WherryError(
    'unavailable',
    `Registry ${ref.registry} gives no token to pull ${ref.repository}: ${from} answers with status ${status}. Try again later.`,
  );
}

/** The realm is a URL of the registry's choice: it is asked under the rules for strangers' URLs. */
export async function askForToken(
  challenge: Extract<Challenge, { kind: 'bearer' }>,
  how: {
    query: Readonly<Record<string, string>>;
    credentials: Credentials | undefined;
    rules: DownloadRules;
  },
): Promise<{ token?: string; status: number; from: string }> {
  const url = new URL(challenge.realm);
  if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
  for (const [name, value] of Object.entries(how.query)) url.searchParams.set(name, value);
  const headers: Headers = how.credentials ? { authorization: basic(how.credentials) } : {};
  const opened = await ask(url, how.rules, headers);
  const status = opened.response.statusCode ?? 0;
  const text = status === 200 ? (await readAnswer(opened, largestToken * 2)).toString('utf8') : '';
  opened.response.destroy();
  const token = readToken(text);
  return { ...(token === undefined ? {} : { token }), status, from: shown(url) };
}

/** Whether a status says that the credentials are not enough, not that something else is wrong. */
export function isRefusal(status: number): boolean {
  return status === 400 || status === 401 || status === 403;
}

/** One sentence for both that an image is private and that it does not exist: registries do not tell which. */
export function notLetIn(ref: ImageRef, credentials: Credentials | undefined): WherryError {
  const why = credentials
    ? `does not let ${credentials.user} pull ${ref.repository}. Check the image's name, or log in again`
    : `lets nobody pull ${ref.repository} without logging in. Check the image's name, or log in`;
  return new WherryError('access-denied', `Registry ${ref.registry} ${why}.`, {
    hint: `registry:login --global ${ref.registry} USER --password-stdin`,
  });
}

function readToken(text: string): string | undefined {
  try {
    const { token, access_token } = answer.parse(JSON.parse(text));
    const found = token || access_token || undefined;
    return found !== undefined && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
