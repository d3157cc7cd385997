import { z } from 'zod';
import type { Clock } from '../system/clock.ts';
import { CaFault } from './ca-fault.ts';
import { signed } from './jose.ts';
import { Refusal, readProblem } from './refusal.ts';
import { retryAfter } from './retry-after.ts';
import type { Reply, Transport } from './transport.ts';

export type SessionOptions = {
  /** URL of the authority's directory. */
  readonly server: string;
  /** PEM of the account's key. */
  readonly key: string;
  /** Where the authority may write to. */
  readonly email: string | undefined;
  readonly transport: Transport;
  readonly clock: Clock;
};

const directory = z.object({
  newNonce: z.string(),
  newAccount: z.string(),
  newOrder: z.string(),
  revokeCert: z.string(),
  renewalInfo: z.string().optional(),
});

export type Directory = z.infer<typeof directory>;

type Ask = {
  readonly url: string;
  /** Left out to read (RFC 8555 section 6.3). */
  readonly payload?: object;
  /** What it is for, as the beginning of a sentence about its refusal. */
  readonly what: string;
};

/** Nonces that an authority refuses in a row until it is not asked any more. */
const mostNonces = 10;

/** An account at a certificate authority: signs what is asked of it, with a fresh nonce each. */
export class Session {
  readonly #options: SessionOptions;
  #directory: Promise<Directory> | undefined;
  #account: Promise<string> | undefined;
  #nonce: string | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get key(): string {
    return this.#options.key;
  }

  /** Asked for once; anew when it was not given. */
  async directory(signal: AbortSignal): Promise<Directory> {
    this.#directory ??= this.#readDirectory(signal);
    try {
      return await this.#directory;
    } catch (error) {
      this.#directory = undefined;
      throw error;
    }
  }

  /** Asks as the account. @throws Refusal, CaFault */
  async post(ask: Ask, signal: AbortSignal): Promise<Reply> {
    try {
      return await this.#send(ask, await this.#known(signal), signal);
    } catch (error) {
      if (!(error instanceof Refusal) || error.type !== 'accountDoesNotExist') throw error;
      // An authority that lost its accounts gets this one again, with the same key.
      this.#account = undefined;
      return await this.#send(ask, await this.#known(signal), signal);
    }
  }

  /** Reads what needs no account (RFC 9773 section 4). */
  async get(url: string, signal: AbortSignal): Promise<Reply> {
    const reply = await this.#options.transport({ method: 'GET', url }, signal);
    if (reply.status !== 200) throw this.#refused(reply, { url, what: `${hostOf(url)} gave no answer` });
    return reply;
  }

  async #readDirectory(signal: AbortSignal): Promise<Directory> {
    const { server } = this.#options;
    const reply = await this.get(server, signal);
    const read = directory.safeParse(parseJson(reply, server));
    if (read.success) return read.data;
    throw new CaFault(`${hostOf(server)} has no ACME directory at ${new URL(server).pathname}`);
  }

  /** The account's URL; the authority makes one for a key that it does not know (RFC 8555 section 7.3). */
  async #known(signal: AbortSignal): Promise<string> {
    this.#account ??= this.#register(signal);
    try {
      return await this.#account;
    } catch (error) {
      this.#account = undefined;
      throw error;
    }
  }

  async #register(signal: AbortSignal): Promise<string> {
    const { server, email } = this.#options;
    const { newAccount } = await this.directory(signal);
    const contact = email === undefined ? {} : { contact: [`mailto:${email}`] };
    const payload = { termsOfServiceAgreed: true, ...contact };
    const what = `No account at ${hostOf(server)}`;
    const reply = await this.#send({ url: newAccount, payload, what }, undefined, signal);
    return location(reply, newAccount);
  }

  /** A refused nonce is replaced by the one that came with the refusal (RFC 8555 section 6.5). */
  async #send(ask: Ask, kid: string | undefined, signal: AbortSignal): Promise<Reply> {
    for (let left = mostNonces; ; left--) {
      const nonce = this.#takeNonce() ?? (await this.#newNonce(signal));
      const body = signed(ask.payload, { nonce, url: ask.url, kid }, this.#options.key);
      const reply = await this.#options.transport({ method: 'POST', url: ask.url, body }, signal);
      this.#nonce = reply.header('replay-nonce');
      if (reply.status < 300) return reply;
      const refusal = this.#refused(reply, ask);
      if (!(refusal instanceof Refusal) || refusal.type !== 'badNonce') throw refusal;
      if (left === 1) throw new CaFault(`${hostOf(ask.url)} refused ${mostNonces} nonces in a row`);
    }
  }

  #takeNonce(): string | undefined {
    const nonce = this.#nonce;
    this.#nonce = undefined;
    return nonce;
  }

  async #newNonce(signal: AbortSignal): Promise<string> {
    const { newNonce } = await this.directory(signal);
    const nonce = (await this.#options.transport({ method: 'HEAD', url: newNonce }, signal)).header(
      'replay-nonce',
    );
    if (nonce) return nonce;
    throw new CaFault(`${hostOf(newNonce)} gave no nonce`);
  }

  #refused(reply: Reply, { url, what }: Ask): Refusal | CaFault {
    const retryAt = retryAfter(reply.header('retry-after'), this.#options.clock.now());
    const problem = reply.header('content-type')?.startsWith('application/problem+json');
    if (problem && reply.status < 500 && reply.status >= 400)
      return new Refusal(readProblem(parseJson(reply, url)), { what, retryAt });
    return new CaFault(`${hostOf(url)} answered with status ${reply.status}`, { retryAt });
  }
}

/** The URL of what was made. */
export function location(reply: Reply, url: string): string {
  const found = reply.header('location');
  if (found) return found;
  throw new CaFault(`${hostOf(url)} made something, and did not tell where`);
}

/** A JSON answer in its form. @throws CaFault for another one */
export function readJson<Schema extends z.ZodType>(
  reply: Reply,
  url: string,
  schema: Schema,
): z.infer<Schema> {
  const read = schema.safeParse(parseJson(reply, url));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new CaFault(`${hostOf(url)} gave an answer that is not ACME's${where === '' ? '' : ` (${where})`}`);
}

export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'The certificate authority';
}

function parseJson(reply: Reply, url: string): unknown {
  try {
    return JSON.parse(reply.body);
  } catch (cause) {
    throw new CaFault(`${hostOf(url)} gave an answer that is not JSON`, { cause });
  }
}
