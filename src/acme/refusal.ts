import { WherryError } from '../domain/errors.ts';

/** What an authority says of its refusal (RFC 7807, RFC 8555 section 6.7). */
export type Problem = {
  readonly type: string;
  readonly detail: string;
  /** Of single hosts, where it tells. */
  readonly subproblems: readonly Problem[];
};

const prefix = 'urn:ietf:params:acme:error:';
const longestDetail = 300;

/** The authority understood and refused. */
export class Refusal extends WherryError {
  /** Without its prefix, as `rateLimited`. */
  readonly type: string;
  /** When to ask again, if it told. */
  readonly retryAt: Date | undefined;

  constructor(problem: Problem, { what, retryAt }: { what: string; retryAt?: Date | undefined }) {
    super('failed', `${what}: ${why(problem)}`);
    this.name = 'Refusal';
    this.type = problem.type;
    this.retryAt = retryAt;
  }
}

/** A problem document as far as it can be read; an authority may send anything. */
export function readProblem(value: unknown): Problem {
  const { type, detail, subproblems } = typeof value === 'object' && value !== null ? (value as Fields) : {};
  return {
    type: typeof type === 'string' ? type.replace(prefix, '') : 'unknown',
    detail: typeof detail === 'string' ? printable(detail) : '',
    subproblems: Array.isArray(subproblems) ? subproblems.slice(0, 10).map(readProblem) : [],
  };
}

type Fields = { type?: unknown; detail?: unknown; subproblems?: unknown };

/** What it means and what to do, then its own words. */
function why({ type, detail, subproblems }: Problem): string {
  const [inner] = subproblems;
  if (inner && !(type in meanings)) return why(inner);
  const meaning = meanings[type];
  const said = detail === '' ? type : detail;
  return meaning ? `${meaning} (${said})` : `it was refused (${said})`;
}

const meanings: Readonly<Record<string, string>> = {
  dns: 'its DNS has no address that the authority finds. Make it point to this host',
  connection:
    'the authority could not connect to it. Make its DNS point to this host and let port 80 through',
  unauthorized:
    'something else answered there. Make its DNS point to this host, at all of its addresses, and let port 80 through',
  incorrectResponse:
    'something else answered there. Make its DNS point to this host, at all of its addresses, and let port 80 through',
  caa: 'a CAA record of its DNS forbids this authority. Change the record',
  tls: 'the authority failed to speak TLS with it',
  rateLimited: 'the authority takes no more for now',
  rejectedIdentifier: 'the authority gives no certificate for this name',
  unsupportedIdentifier: 'the authority gives no certificate for such a name',
  invalidContact: 'the e-mail address was not taken. Set another one with letsencrypt:set',
  unsupportedContact: 'the e-mail address was not taken. Set another one with letsencrypt:set',
  externalAccountRequired: 'the authority wants an account that was made elsewhere, which is not supported',
  badRevocationReason: 'it cannot be revoked so',
  alreadyRevoked: 'it is revoked already',
};

function printable(text: string): string {
  return text
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(0, longestDetail)
    .replace(/[.\s]+$/, '');
}
