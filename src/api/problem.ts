import type { ServerResponse } from 'node:http';
import { type ErrorCode, WherryError } from '../domain/errors.ts';

/** What each code means, the same each time (RFC 9457, 3.1.3); the sentence about the case at hand is the detail. */
export const problemTitles = {
  failed: 'The command failed',
  usage: 'The request does not fit the command',
  invalid: 'A value is not valid',
  'unknown-command': 'There is no such command',
  'not-found': 'There is no such thing',
  'app-not-found': 'There is no such app',
  'access-denied': 'You may not do that',
  conflict: 'It conflicts with what there is',
  locked: 'The app is locked',
  quota: 'A quota does not allow it',
  'build-failed': 'The build failed',
  'check-failed': 'A check failed',
  unavailable: 'It cannot be done at the moment',
  interrupted: 'It was interrupted',
  unauthenticated: 'A valid token is needed',
  'too-many': 'Too many requests failed',
  'wrong-host': 'The host of the request is not this one',
  'wrong-method': 'The method does not fit',
  'wrong-type': 'The type of the body does not fit',
  'too-large': 'The request is too large',
  'key-reused': 'The key belongs to another request',
  'too-slow': 'The request came too slowly',
} as const satisfies Record<ErrorCode, string>;

/** Problem details with Wherry's own members: the code, what to do next, the exit status that the command line has for it. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly exit: number;
  readonly hint?: string;
};

export function problemOf(error: WherryError): Problem {
  const { code, message, hint, exitCode, httpStatus } = error;
  return {
    type: `urn:wherry:problem:${code}`,
    title: problemTitles[code],
    status: httpStatus,
    detail: message,
    code,
    exit: exitCode,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function sendProblem(response: ServerResponse, problem: Problem): void {
  const json = `${JSON.stringify(problem)}\n`;
  response.writeHead(problem.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(json),
    'cache-control': 'no-store',
  });
  response.end(json);
}

/** Any thrown thing as an error for the client; `undefined` for a bug of ours. */
export function knownError(error: unknown): WherryError | undefined {
  if (error instanceof WherryError) return error;
  // Of decodeURIComponent, for a path such as /v1/%ff.
  if (error instanceof URIError) return new WherryError('invalid', 'The path or query is not well formed.');
  return undefined;
}
