import type { App } from '../domain/app.ts';
import { isFor } from '../domain/certificate.ts';
import {
  isPublicAuthority,
  isPublicName,
  type LetsencryptSetting,
  letsencryptKey,
  letsencryptSettings,
  parseChallenge,
  parseGrace,
  parseServer,
} from '../domain/letsencrypt.ts';
import type { StoredCertificate } from '../store/certificates.ts';
import type { Store } from '../store/store.ts';

/** How certificates of an app are got, as was set for it or for all. */
export type AcmePolicy = {
  readonly server: string;
  readonly email: string;
  /** Milliseconds before the end. */
  readonly grace: number | undefined;
  readonly challenge: 'http-01' | 'tls-alpn-01';
  /** In the place of the challenge. */
  readonly dnsHook: string | undefined;
};

export function readPolicy(store: Store, app: App): AcmePolicy {
  const get = (name: LetsencryptSetting) =>
    store.properties.resolve(app.id, letsencryptKey(name)) ?? letsencryptSettings[name].usual;
  const grace = get('graceperiod');
  return {
    server: parseServer(get('server')),
    email: get('email'),
    grace: grace === '' ? undefined : parseGrace(grace),
    challenge: parseChallenge(get('challenge')),
    dnsHook: get('dns-hook') || undefined,
  };
}

export function isEnabled(store: Store, app: App): boolean {
  return store.properties.get(`app:${app.id}`, letsencryptKey('enabled')) === 'true';
}

/** Why no certificate is asked for a host of the app; undefined when one is. @param given certificates that did not come by ACME */
export function reasonAgainst(
  host: string,
  { policy, given, now }: { policy: AcmePolicy; given: readonly StoredCertificate[]; now: Date },
): string | undefined {
  if (host.startsWith('*.') && !policy.dnsHook)
    return `${host} is a wildcard, which needs a DNS hook. Set one with letsencrypt:set.`;
  if (isPublicAuthority(policy.server) && !isPublicName(host))
    return `${host} is no name of the Internet, and Let's Encrypt gives no certificate for it.`;
  if (given.some(({ names, notAfter }) => notAfter > now && names.some(name => isFor(name, host))))
    return `${host} has a certificate that was given. Remove it with certs:remove first.`;
  return undefined;
}
