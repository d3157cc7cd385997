import { setImmediate } from 'node:timers/promises';
import type { App } from '../domain/app.ts';
import { type Certificate, parseCertificate } from '../domain/certificate.ts';
import { sentence, WherryError } from '../domain/errors.ts';
import type { Domain } from '../domain/names.ts';
import type { Account } from '../store/acme.ts';
import type { StoredCertificate } from '../store/certificates.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { faultPoint } from '../system/fault.ts';
import type { Log } from '../system/log.ts';
import { Alarms } from './alarms.ts';
import { Authorities } from './authorities.ts';
import { CaFault } from './ca-fault.ts';
import { dnsHook } from './dns-hook.ts';
import { obtain, type Pending, type Solver } from './obtain.ts';
import { type AcmePolicy, isEnabled, readPolicy, reasonAgainst } from './policy.ts';
import { Refusal } from './refusal.ts';
import { backOff } from './renewal.ts';
import { renewalId } from './renewal-info.ts';
import { revoke } from './revoke.ts';
import type { Session } from './session.ts';
import { Timetable } from './timetable.ts';
import type { Transport } from './transport.ts';

export type CertifierOptions = {
  readonly store: Store;
  readonly transport: Transport;
  readonly solvers: Readonly<Record<'http-01' | 'tls-alpn-01', Solver>>;
  /** Makes visitors see the certificates of the store. */
  readonly applyRoutes: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

/** How it stands with one host of an app. */
export type HostStatus = {
  readonly host: Domain;
  readonly certificate: StoredCertificate | undefined;
  readonly renewAt: Date | undefined;
  /** Why none is asked for. */
  readonly skipped: string | undefined;
  /** Why the last try failed, and when the next may be. */
  readonly error: string | undefined;
  readonly nextAt: Date | undefined;
};

export type Outcome =
  | { readonly host: string; readonly outcome: 'issued' | 'kept'; readonly until: Date }
  | { readonly host: string; readonly outcome: 'skipped' | 'failed'; readonly reason: string };

/** What is kept of an order, as JSON. */
type Begun = { readonly account: Account; readonly order: Pending; readonly at: number };

/** Milliseconds after which an order that came to no end is given up, for another. */
const longestOrder = 24 * 3_600_000;
/** Milliseconds that an authority may send a host away for. */
const longestWait = 7 * 24 * 3_600_000;

/**
 * Gets certificates for the domains of apps, each its own, and new ones before those end; whatever fails leaves the old one in use.
 * One order at a time for each host, whoever asks.
 */
export class Certifier {
  readonly #options: CertifierOptions;
  readonly #authorities: Authorities;
  readonly #timetable: Timetable;
  readonly #alarms: Alarms;
  readonly #running = new Map<string, Promise<Date>>();
  readonly #closing = new AbortController();

  constructor(options: CertifierOptions) {
    const { store, clock, log } = options;
    this.#options = options;
    this.#authorities = new Authorities(options);
    this.#timetable = new Timetable({ authorities: this.#authorities, clock, log });
    const tell = (app: App | undefined, words: string) => {
      log.warn({ app: app?.name }, words);
      this.#tell(app, 'certificate-expires', words);
    };
    this.#alarms = new Alarms({ store, clock, tell });
  }

  status(app: App): HostStatus[] {
    const { store, clock } = this.#options;
    const policy = readPolicy(store, app);
    const all = store.certificates.list(app);
    const given = all.filter(({ source }) => source !== 'acme');
    const byName = new Map(all.filter(isIssued).flatMap(each => each.names.map(name => [name, each])));
    const states = new Map(store.acme.list(app).map(state => [state.host, state]));
    return store.domains.list(app).map(host => {
      const certificate = byName.get(host);
      const state = states.get(host);
      return {
        ...{ host, certificate, error: state?.error, nextAt: state?.nextAt },
        renewAt: certificate && this.#timetable.renewAt({ certificate, host, grace: policy.grace }),
        skipped: reasonAgainst(host, { policy, given, now: clock.now() }),
      };
    });
  }

  /** Asks for certificates of all hosts of the app that are due, or of all that it may ask for. Each host fails for itself. */
  async renew(app: App, { all }: { all: boolean }): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const policy = readPolicy(this.#options.store, app);
    for (const status of this.status(app)) {
      const { host, skipped, certificate } = status;
      if (skipped !== undefined) outcomes.push({ host, outcome: 'skipped', reason: skipped });
      else if (certificate && !all && !(await this.#isDue(app, status, policy)))
        outcomes.push({ host, outcome: 'kept', until: certificate.notAfter });
      else outcomes.push(await this.#outcome(app, host));
    }
    return outcomes;
  }

  /** What is done once a minute: what is due and may be tried, of all apps that are enabled; and alarms. */
  async tick(): Promise<void> {
    const { store } = this.#options;
    for (const app of store.apps.list().filter(each => isEnabled(store, each))) {
      // Others have their turn between apps: there may be thousands.
      await setImmediate();
      await this.#tend(app);
    }
    this.#alarms.look();
  }

  /** Begins now what the next tick would do, for an app or all. */
  soon(app?: App): void {
    const { store, log } = this.#options;
    if (app && !isEnabled(store, app)) return;
    const work = app ? this.#tend(app) : this.tick();
    work.catch(error => {
      if (!this.#closing.signal.aborted)
        log.error({ err: error, app: app?.name }, 'certificates were not looked at');
    });
  }

  async #tend(app: App): Promise<void> {
    const { store, clock } = this.#options;
    const policy = readPolicy(store, app);
    for (const status of this.status(app)) {
      if (this.#closing.signal.aborted) return;
      const { host, skipped, nextAt } = status;
      if (skipped !== undefined || (nextAt && nextAt > clock.now())) continue;
      if (this.#authorities.rests(policy.server)) continue;
      if (await this.#isDue(app, status, policy)) await this.#outcome(app, host);
    }
  }

  /** Revokes what the app got, and drops it. */
  async revoke(app: App): Promise<string[]> {
    const { store } = this.#options;
    for (const { issued } of store.acme.list(app)) {
      const certificate = this.#issued(app).find(({ id }) => id === issued?.certificate);
      if (issued && certificate)
        await revoke(this.#authorities.session(issued), certificate.chain, this.#closing.signal);
    }
    return await this.forget(app);
  }

  /** Drops what the app got, or only what is for none of its domains any more. @returns the names that it was for */
  async forget(app: App, { stale = false } = {}): Promise<string[]> {
    const { store } = this.#options;
    const kept = new Set<string>(stale ? store.domains.list(app) : []);
    const going = this.#issued(app).filter(({ names }) => !names.some(name => kept.has(name)));
    store.transaction(() => {
      for (const { id } of going) store.certificates.remove(id);
      for (const { host } of store.acme.list(app)) if (!kept.has(host)) store.acme.remove(app, host);
    });
    if (going.length > 0) await this.#options.applyRoutes();
    return going.flatMap(({ names }) => names);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running.values());
  }

  async #outcome(app: App, host: Domain): Promise<Outcome> {
    try {
      return { host, outcome: 'issued', until: await this.#issue(app, host) };
    } catch (error) {
      this.#closing.signal.throwIfAborted();
      return { host, outcome: 'failed', reason: reasonOf(host, error) };
    }
  }

  /** The same order for all who ask for a host while it runs. */
  #issue(app: App, host: Domain): Promise<Date> {
    const running =
      this.#running.get(host) ?? this.#tried(app, host).finally(() => this.#running.delete(host));
    this.#running.set(host, running);
    return running;
  }

  async #tried(app: App, host: Domain): Promise<Date> {
    try {
      const until = await this.#order(app, host);
      this.#tell(app, 'certificate', `Got a certificate for ${host}, good until ${day(until)}`);
      return until;
    } catch (error) {
      this.#closing.signal.throwIfAborted();
      this.#options.log.warn({ err: error, app: app.name, host }, 'no certificate');
      this.#note(app, host, error);
      throw error;
    }
  }

  async #order(app: App, host: Domain): Promise<Date> {
    const { solvers, clock, log, applyRoutes } = this.#options;
    const policy = readPolicy(this.#options.store, app);
    const session = this.#authorities.session(policy);
    const pending = this.#begun(app, host, policy);
    if (!pending) this.#authorities.count(policy);
    const pem = await obtain(
      {
        ...{ host, session, clock, pending },
        solver: policy.dnsHook ? dnsHook(policy.dnsHook) : solvers[policy.challenge],
        replaces: await this.#replaced(app, host, session),
        left: error => log.warn({ err: error, app: app.name, host }, 'a proof could not be taken back'),
        keep: order => this.#keep(app, host, { account: account(policy), order }),
      },
      this.#closing.signal,
    );
    const until = this.#accept(app, host, { pem, account: account(policy) });
    await faultPoint('acme:stored');
    await applyRoutes();
    return until;
  }

  #keep(app: App, host: Domain, begun: Omit<Begun, 'at'>): void {
    const { store, clock } = this.#options;
    store.acme.keepOrder(app, host, JSON.stringify({ ...begun, at: clock.now().getTime() } satisfies Begun));
  }

  /** An order of this account that did not come to its end. */
  #begun(app: App, host: Domain, { server, email }: Account): Pending | undefined {
    const { store, clock } = this.#options;
    const text = store.acme.order(app, host);
    if (text === undefined) return undefined;
    const { account: by, order, at } = JSON.parse(text) as Begun;
    const fresh = clock.now().getTime() - at < longestOrder;
    return fresh && by.server === server && by.email === email ? order : undefined;
  }

  /** As the authority names it; only one that speaks of renewals, and issued it, understands that. */
  async #replaced(app: App, host: Domain, session: Session): Promise<string | undefined> {
    const old = this.#current(app, host);
    const issued = this.#options.store.acme.find(app, host)?.issued;
    if (!old || issued?.certificate !== old.id || this.#authorities.session(issued) !== session)
      return undefined;
    const { renewalInfo } = await session.directory(this.#closing.signal);
    return renewalInfo === undefined ? undefined : renewalId(old.chain);
  }

  /** What was issued takes the place of what the host had. @returns when it ends */
  #accept(app: App, host: Domain, { pem, account: by }: { pem: string; account: Account }): Date {
    const { store, clock } = this.#options;
    const found = readIssued(pem, host, clock.now());
    if (!isEnabled(store, app) || store.domains.owner(host) !== app.name)
      throw new WherryError('not-found', `App ${app.name} needs no certificate for ${host} any more.`);
    store.transaction(() => {
      for (const { id, names } of this.#issued(app)) if (names.includes(host)) store.certificates.remove(id);
      store.certificates.put(app, found, { source: 'acme', at: clock.now() });
      const issued = { ...by, certificate: found.id };
      store.acme.put(app, { host, issued, failures: 0, nextAt: undefined, error: undefined });
      store.acme.dropOrder(app, host);
    });
    return found.notAfter;
  }

  /** A failure of the host makes it wait longer each time; one of the authority makes all wait that would ask it. */
  #note(app: App, host: Domain, error: unknown): void {
    const { store, clock } = this.#options;
    if (store.domains.owner(host) !== app.name) return;
    const now = clock.now().getTime();
    const before = store.acme.find(app, host);
    const faulty = error instanceof CaFault;
    const told = faulty || error instanceof Refusal ? error.retryAt : undefined;
    if (faulty || (error instanceof Refusal && error.type === 'rateLimited'))
      this.#authorities.rest(readPolicy(store, app).server, told);
    const failures = (before?.failures ?? 0) + (faulty ? 0 : 1);
    const wait = Math.max(backOff(Math.max(failures, 1), host), (told?.getTime() ?? 0) - now);
    const nextAt = new Date(now + Math.min(wait, longestWait));
    store.acme.put(app, { host, issued: before?.issued, failures, nextAt, error: reasonOf(host, error) });
    // An order that was refused is over; one that was cut off is gone on with.
    if (!faulty) store.acme.dropOrder(app, host);
    const words = reasonOf(host, error).replace(/\.$/, '');
    this.#tell(app, 'certificate-failed', `${words}. It is tried again after ${minute(nextAt)}.`);
  }

  async #isDue(app: App, { host, certificate }: HostStatus, { grace }: AcmePolicy): Promise<boolean> {
    const { store } = this.#options;
    if (!certificate) return true;
    const account = () => store.acme.find(app, host)?.issued;
    return await this.#timetable.isDue({ certificate, host, grace }, account, this.#closing.signal);
  }

  #issued(app: App): StoredCertificate[] {
    return this.#options.store.certificates.list(app).filter(isIssued);
  }

  #current(app: App, host: Domain): StoredCertificate | undefined {
    return this.#issued(app).findLast(({ names }) => names.includes(host));
  }

  #tell(app: App | undefined, kind: string, message: string): void {
    const { store, clock } = this.#options;
    store.events.add({ at: clock.now(), app: app?.name, kind, message });
  }
}

function isIssued({ source }: StoredCertificate): boolean {
  return source === 'acme';
}

function account({ server, email }: Account): Account {
  return { server, email };
}

/** An authority that fails does not say for which host. */
function reasonOf(host: string, error: unknown): string {
  return error instanceof CaFault ? `No certificate for ${host}: ${error.message}` : sentence(error);
}

/** An authority may send anything. */
function readIssued(pem: string, host: Domain, now: Date): Certificate {
  const useless = (why: string) =>
    new WherryError('failed', `What was issued for ${host} cannot be used: ${why}`);
  try {
    const found = parseCertificate(pem, now);
    if (found.names.includes(host)) return found;
    throw useless(`it is for ${found.names.join(', ')}.`);
  } catch (error) {
    throw error instanceof WherryError && error.code === 'invalid' ? useless(error.message) : error;
  }
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function minute(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
