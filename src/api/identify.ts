import type { IncomingMessage } from 'node:http';
import type { Attempts } from '../domain/attempts.ts';
import { WherryError } from '../domain/errors.ts';
import type { Actor } from '../domain/push.ts';

/** Who a token belongs to, with what it may; undefined for one that is wrong, revoked or expired. */
export type Authenticate = (token: string) => Omit<Actor, 'via' | 'address'> | undefined;

type Gate = {
  readonly authenticate: Authenticate;
  readonly attempts: Attempts;
  /** Told of each who is not let in, with the token if one came. */
  readonly refused: (address: string, token: string | undefined) => void;
};

/** Who sends the request, by its token. @throws unauthenticated, too-many */
export function identify(request: IncomingMessage, { authenticate, attempts, refused }: Gate): Actor {
  const address = request.socket.remoteAddress ?? 'unknown';
  if (attempts.wait(address) > 0)
    throw new WherryError('too-many', 'Too many wrong tokens came from your address. Try again later.');
  const token = tokenOf(request);
  const found = token === undefined ? undefined : authenticate(token);
  if (found) return { ...found, via: 'api', address };
  attempts.wrong(address);
  refused(address, token);
  throw new WherryError('unauthenticated', 'Send a valid token, as Authorization: Bearer TOKEN.', {
    hint: 'tokens:create makes one',
  });
}

/** Two headers are none: which of them counts would be anybody's guess. */
function tokenOf({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const times = rawHeaders.filter(
    (name, at) => at % 2 === 0 && name.toLowerCase() === 'authorization',
  ).length;
  if (times !== 1) return undefined;
  return /^Bearer ([\x21-\x7e]{1,512})$/i.exec(headers.authorization ?? '')?.[1];
}
