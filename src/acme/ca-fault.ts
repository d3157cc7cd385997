import { WherryError } from '../domain/errors.ts';

/** The certificate authority itself fails, stalls or makes no sense: what was asked for may be all right. */
export class CaFault extends WherryError {
  /** When to ask again, if it told. */
  readonly retryAt: Date | undefined;

  constructor(what: string, options: { cause?: unknown; retryAt?: Date | undefined } = {}) {
    super('unavailable', `${what}.`, options);
    this.name = 'CaFault';
    this.retryAt = options.retryAt;
  }
}
