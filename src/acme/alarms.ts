import type { App } from '../domain/app.ts';
import { isFor } from '../domain/certificate.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { type Alarm, alarmOf } from './renewal.ts';

/** Tells of certificates whose end comes near, wherever they are from, as long as visitors are shown them: once for each step. */
export class Alarms {
  readonly #options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly tell: (app: App | undefined, words: string) => void;
  };
  readonly #told = new Map<string, Alarm>();

  constructor(options: { store: Store; clock: Clock; tell: (app: App | undefined, words: string) => void }) {
    this.#options = options;
  }

  look(): void {
    const { store, clock, tell } = this.#options;
    const domains = store.domains.byApp();
    const apps = new Map(store.apps.list().map(app => [app.id, app]));
    for (const certificate of store.certificates.all()) {
      const { id, appId, names, notAfter } = certificate;
      const alarm = alarmOf(certificate, clock.now());
      const hosts = appId === null ? undefined : (domains.get(appId) ?? []);
      const unused = hosts?.every(host => !names.some(name => isFor(name, host))) ?? false;
      if (!alarm || unused || this.#told.get(id) === alarm) continue;
      this.#told.set(id, alarm);
      const verb = alarm === 'expired' ? 'expired' : 'expires';
      tell(
        appId === null ? undefined : apps.get(appId),
        `The certificate for ${names.join(', ')} ${verb} on ${notAfter.toISOString().slice(0, 10)}`,
      );
    }
  }
}
