import type { Solver } from './obtain.ts';

/** The HTTP-01 challenges of now (RFC 8555 section 8.3): what the edge answers at port 80. */
export class Challenges {
  readonly #publish: () => Promise<void>;
  readonly #answers = new Map<string, string>();

  /** @param publish tells the edge; resolves when it answers so */
  constructor(publish: () => Promise<void>) {
    this.#publish = publish;
  }

  /** By token. */
  all(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#answers);
  }

  get solver(): Solver {
    return {
      type: 'http-01',
      show: async ({ token, keyAuthorization }) => {
        this.#answers.set(token, keyAuthorization);
        await this.#publish();
      },
      hide: async ({ token }) => {
        this.#answers.delete(token);
        await this.#publish();
      },
    };
  }
}
