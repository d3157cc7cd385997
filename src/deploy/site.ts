import type { App } from '../domain/app.ts';
import { isFor } from '../domain/certificate.ts';
import type { Desired } from '../runtime/runtime.ts';
import type { Store } from '../store/store.ts';

/** How visitors name an app: by its first domain that is a host, and whether there is a certificate for it. */
export function siteOf(store: Store, app: App): ReturnType<NonNullable<Desired['site']>> {
  const host = store.domains.list(app).find(domain => !domain.startsWith('*'));
  if (host === undefined) return { secure: false };
  const certificates = [...store.certificates.list(app), ...store.certificates.list('global')];
  return { host, secure: certificates.some(({ names }) => names.some(name => isFor(name, host))) };
}
