import type { App } from './domain/app.ts';
import { isFor } from './domain/certificate.ts';
import { domainsDisabledKey } from './domain/global-domains.ts';
import type { Store } from './store/store.ts';

/** Where visitors find an app: by HTTPS where there is a certificate for the host, in the order of its domains. */
export function urlsOf(app: App, store: Store, ports: { http: number; https: number | undefined }): string[] {
  if (store.properties.get(`app:${app.id}`, domainsDisabledKey) === 'true') return [];
  const certificates = [...store.certificates.list(app), ...store.certificates.list('global')];
  return store.domains.list(app).map(host => {
    const secure = certificates.some(({ names }) => names.some(name => isFor(name, host)));
    return secure && ports.https !== undefined
      ? `https://${host}${ports.https === 443 ? '' : `:${ports.https}`}`
      : `http://${host}${ports.http === 80 ? '' : `:${ports.http}`}`;
  });
}
