/**
 * Every expected failure of Wherry: a code from one table, a sentence naming the thing and the remedy.
 * Anything thrown that is not a WherryError is a bug and is logged with its stack and an id.
 */
const table = {
  failed: { exit: 1, http: 500 },
  usage: { exit: 2, http: 400 },
  invalid: { exit: 1, http: 400 },
  'unknown-command': { exit: 1, http: 404 },
  'not-found': { exit: 1, http: 404 },
  'app-not-found': { exit: 20, http: 404 },
  'access-denied': { exit: 21, http: 403 },
  conflict: { exit: 22, http: 409 },
  locked: { exit: 22, http: 423 },
  quota: { exit: 23, http: 409 },
  'build-failed': { exit: 24, http: 422 },
  'check-failed': { exit: 25, http: 422 },
  unavailable: { exit: 75, http: 503 },
  interrupted: { exit: 130, http: 499 },
  unauthenticated: { exit: 21, http: 401 },
  'too-many': { exit: 75, http: 429 },
  'wrong-host': { exit: 2, http: 421 },
  'wrong-method': { exit: 2, http: 405 },
  'wrong-type': { exit: 2, http: 415 },
  'too-large': { exit: 1, http: 413 },
  'key-reused': { exit: 2, http: 422 },
  'too-slow': { exit: 75, http: 408 },
} as const satisfies Record<string, { exit: number; http: number }>;

export type ErrorCode = keyof typeof table;

export class WherryError extends Error {
  readonly code: ErrorCode;
  /** One more line for the person: what to type next. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'WherryError';
    this.code = code;
    this.hint = options.hint;
  }

  /** Exit status of a command that ends with this error, 1 to 130. */
  get exitCode(): number {
    return table[this.code].exit;
  }

  get httpStatus(): number {
    return table[this.code].http;
  }
}

/** The error's sentence, for a person; a bug's own message never reaches users, only its kind. */
export function sentence(error: unknown): string {
  return error instanceof WherryError ? error.message : 'Wherry met a fault of its own; see the daemon log.';
}
