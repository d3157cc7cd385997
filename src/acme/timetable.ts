import type { Account } from '../store/acme.ts';
import type { StoredCertificate } from '../store/certificates.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Authorities } from './authorities.ts';
import { momentIn, renewalTime } from './renewal.ts';
import { type RenewalInfo, readRenewalInfo } from './renewal-info.ts';

export type Renewing = {
  readonly certificate: StoredCertificate;
  readonly host: string;
  /** Milliseconds before the end, if that was set. */
  readonly grace: number | undefined;
};

const hour = 3_600_000;

/** When certificates are renewed: as their authority wants, else by their life. */
export class Timetable {
  readonly #options: { readonly authorities: Authorities; readonly clock: Clock; readonly log: Log };
  /** What the authority said of each; undefined for nothing. */
  readonly #told = new Map<string, { readonly info: RenewalInfo | undefined; readonly again: Date }>();

  constructor(options: { authorities: Authorities; clock: Clock; log: Log }) {
    this.#options = options;
  }

  /** Never so late that no time is left. */
  renewAt({ certificate, host, grace }: Renewing): Date {
    const info = this.#told.get(certificate.id)?.info;
    if (!info) return renewalTime(certificate, host, grace);
    const { notBefore, notAfter } = certificate;
    const latest = notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) / 20;
    return new Date(Math.min(momentIn(info.window, host).getTime(), latest));
  }

  /** Asks the authority that issued it, as often as it wants to be asked. @param account the one that it was issued to */
  async isDue(renewing: Renewing, account: () => Account | undefined, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    const known = this.#told.get(renewing.certificate.id);
    if (!known || known.again <= clock.now()) await this.#ask(renewing.certificate, account(), signal);
    return this.renewAt(renewing) <= clock.now();
  }

  async #ask(
    certificate: StoredCertificate,
    account: Account | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { authorities, clock, log } = this.#options;
    if (!account) return;
    const { id, chain } = certificate;
    const now = clock.now();
    try {
      const info = await readRenewalInfo(authorities.session(account), { chain, now }, signal);
      this.#told.set(id, { info, again: info?.again ?? new Date(now.getTime() + 24 * hour) });
    } catch (error) {
      log.debug({ err: error, certificate: id }, 'no renewal information');
      this.#told.set(id, { info: this.#told.get(id)?.info, again: new Date(now.getTime() + 6 * hour) });
    }
  }
}
