// Names and passwords of visitors, for apps that ask for them. A hash takes tens of milliseconds of a processor, on purpose:
// so it is made off the event loop, one at a time, few times for each visitor, and what was right is remembered.
import { createHmac, randomBytes } from 'node:crypto';
import { isPassword } from '../domain/password-hash.ts';
import { Allowance } from './allowance.ts';
import type { AddressSet } from './trusted.ts';

export type AuthRule = {
  /** Hashes of passwords by name. */
  readonly users: ReadonlyMap<string, string>;
  /** Visitors who are not asked. */
  readonly allowed: AddressSet | undefined;
};

export type Verdict = 'in' | 'unknown' | 'too-many' | 'busy';

const longestQueue = 64;
const mostRemembered = 1000;
/** Checked for a name that nobody has: the time of an answer must not tell which names there are. */
const nobody = `scrypt$16384$8$1$${randomBytes(16).toString('base64')}$${randomBytes(32).toString('base64')}`;

export class SignIn {
  /** Of this process alone: what is remembered tells nothing to whoever sees it. */
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();
  readonly #underWay = new Map<string, Promise<boolean>>();
  readonly #failures = new Allowance({ burst: 20, perSecond: 1 });
  readonly #verify: typeof isPassword;
  #last: Promise<unknown> = Promise.resolve();

  constructor(verify = isPassword) {
    this.#verify = verify;
  }

  /** At once where nobody is asked or the answer is known. */
  check(
    rule: AuthRule | undefined,
    { rawHeaders, client }: { rawHeaders: readonly string[]; client: string },
  ): Verdict | Promise<Verdict> {
    if (!rule || rule.allowed?.has(client)) return 'in';
    const login = readBasic(soleAuthorization(rawHeaders));
    if (!login) return 'unknown';
    const hash = rule.users.get(login.name) ?? nobody;
    const id = this.#idOf(login, hash);
    if (this.#isRemembered(id)) return 'in';
    return this.#tried({ id, hash, password: login.password, client });
  }

  everySecond(): void {
    this.#failures.everySecond();
  }

  async #tried(login: { id: string; hash: string; password: string; client: string }): Promise<Verdict> {
    const { id, client } = login;
    const known = this.#underWay.get(id);
    if (known) return (await known) ? 'in' : 'unknown';
    if (this.#underWay.size >= longestQueue) return 'busy';
    if (!this.#failures.take(client)) return 'too-many';
    if (!(await this.#begin(login))) return 'unknown';
    this.#failures.giveBack(client);
    this.#remember(id);
    return 'in';
  }

  #begin({ id, hash, password }: { id: string; hash: string; password: string }): Promise<boolean> {
    const trial = this.#last.then(() => this.#verify(password, hash)).catch(() => false);
    this.#last = trial;
    this.#underWay.set(id, trial);
    void trial.then(() => this.#underWay.delete(id));
    return trial;
  }

  #idOf({ name, password }: Login, hash: string): string {
    return createHmac('sha256', this.#key).update(`${hash}\0${name}\0${password}`).digest('base64');
  }

  #isRemembered(id: string): boolean {
    if (!this.#right.delete(id)) return false;
    this.#right.add(id);
    return true;
  }

  /** The one that was used longest ago goes first. */
  #remember(id: string): void {
    this.#right.add(id);
    if (this.#right.size > mostRemembered) this.#right.delete(this.#right.values().next().value ?? '');
  }
}

/** With two of them the app might believe the one that was not checked. */
function soleAuthorization(rawHeaders: readonly string[]): string | undefined {
  const found = rawHeaders.filter(
    (_value, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization',
  );
  return found.length === 1 ? found[0] : undefined;
}

type Login = { readonly name: string; readonly password: string };

/** From `Basic BASE64`; undefined for anything else. */
function readBasic(header: string | undefined): Login | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined || encoded.length > 4096) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
