import { type AppName, type Domain, parseDomain } from './names.ts';

/** The property, of all apps, that holds the domains that apps get names under, as JSON. */
export const globalDomainsKey = 'domains';

/** @param stored undefined when nobody set any, which is not the same as none @param own the daemon's setting */
export function readGlobalDomains(stored: string | undefined, own: Domain): readonly Domain[] {
  return stored === undefined ? [own] : (JSON.parse(stored) as Domain[]);
}

/** An app named as a full domain answers there; any other at APP.DOMAIN of each. */
export function defaultDomains(app: AppName, domains: readonly Domain[]): readonly Domain[] {
  return app.includes('.') ? [parseDomain(app)] : domains.map(domain => parseDomain(`${app}.${domain}`));
}

/** The property that says `true` while an app answers at none of its domains. */
export const domainsDisabledKey = 'domains-disabled';
