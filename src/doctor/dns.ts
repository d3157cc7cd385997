import { about, type Finding } from './finding.ts';
import type { Host } from './host.ts';

/** A domain and whose it is; `default` is the one that every app gets a name below. */
export type Named = { readonly domain: string; readonly app: string | 'default' };

const { ok, warn, fail } = about('dns');
/** Names that are looked up; a host with more has them checked elsewhere. */
const most = 200;
const atOnce = 10;

export async function checkDns(host: Host, named: readonly Named[]): Promise<Finding[]> {
  const here = new Set(host.addresses());
  const asked = named.filter(({ domain }) => !/(^|\.)localhost$/.test(domain)).slice(0, most);
  const findings: Finding[] = [];
  for (let at = 0; at < asked.length; at += atOnce)
    findings.push(...(await Promise.all(asked.slice(at, at + atOnce).map(each => check(host, each, here)))));
  const right = findings.filter(({ state }) => state === 'ok').length;
  const summary =
    right === 0 ? [] : [ok(right === 1 ? '1 domain points here' : `${right} domains point here`)];
  return [...summary, ...findings.filter(({ state }) => state !== 'ok')];
}

async function check(host: Host, { domain, app }: Named, here: ReadonlySet<string>): Promise<Finding> {
  // A wildcard record answers for any name below it.
  const name =
    app === 'default' || domain.startsWith('*.') ? `wherry-doctor.${domain.replace(/^\*\./, '')}` : domain;
  const shown = app === 'default' ? `*.${domain}` : `${domain} of app ${app}`;
  const addresses = await host.resolve(name);
  if (addresses === undefined)
    return warn(`DNS did not answer for ${shown}`, 'See /etc/resolv.conf, and try again.');
  if (addresses.length === 0)
    return (app === 'default' ? fail : warn)(
      `${shown} has no DNS record`,
      `Add one, A or AAAA, that points to this host.`,
    );
  if (addresses.some(address => here.has(address))) return ok(shown);
  return warn(
    `${shown} points to ${addresses.slice(0, 3).join(', ')}, which is no address of this host`,
    'Fine behind NAT, a load balancer or a CDN. Else correct the record.',
  );
}
