import { parseAddressList } from '../../domain/address-list.ts';
import { WherryError } from '../../domain/errors.ts';
import { parseDomain, quoteForPeople } from '../../domain/names.ts';
import { type ProxySetting, proxySettingName, proxySettings } from '../../domain/proxying.ts';
import { redirectCodes } from '../../domain/redirect.ts';
import { sift } from '../sift.ts';
import { type DokkuHost, listed } from './host.ts';

/** Of nginx, and of nothing that visitors see. */
const without = /^(access-log|error-log|bind-address|log|nginx-conf|underscore|last-visited)/;

/** Settings of nginx that have a meaning here. */
export async function moveProxy(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('nginx', app);
  for (const [key, value] of report ?? []) {
    if (value === '' || /^(global|computed)-/.test(key) || without.test(key)) continue;
    const name = proxySettingName(key);
    if (!(name in proxySettings)) {
      host.left.push(`nginx:set ${key} ${quoteForPeople(value)} has no meaning here.`);
      continue;
    }
    const { parse } = proxySettings[name as ProxySetting];
    if (sift([value], host.left, parse).length > 0) host.step('proxy:set', app, `${name}=${value}`);
  }
}

/** Who may come. An app that asks for a password does so here from the first moment, also before it has users. */
export async function moveHttpAuth(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('http-auth', app);
  if (report?.get('enabled') !== 'true') return;
  const addresses = (report.get('allowed-ips') ?? '').split(/[\s,]+/).filter(each => each !== '');
  const known = sift(addresses, host.left, each => parseAddressList(each, 'visitors'));
  host.step('http-auth:enable', app);
  if (known.length > 0) host.step('http-auth:add-allowed-ip', app, ...known);
  const users = (report.get('users') ?? '').split(/\s+/).filter(each => each !== '');
  host.left.push(
    `Passwords of visitors (${users.map(quoteForPeople).join(', ') || 'no users'}) cannot be read there. Give each again: http-auth:add-user ${app} USER < password-file`,
  );
}

/** `SOURCE DESTINATION CODE` a line, below a head. */
export async function moveRedirects(host: DokkuHost, app: string): Promise<void> {
  const answer = await host.ask('redirect', app);
  if (answer.kind !== 'said') return;
  const rows = listed(answer.out).map(line => line.split(/\s+/));
  const redirects = rows.filter(([source]) => source !== 'SOURCE');
  const known = sift(redirects, host.left, ([source = '', destination = '', code = '301']) => {
    if (!redirectCodes.some(each => String(each) === code))
      throw new WherryError('invalid', `Redirect of ${quoteForPeople(source)} has an odd code.`);
    return [parseDomain(source), parseDomain(destination)];
  });
  for (const [source = '', destination = '', code = '301'] of known)
    host.step('redirect:set', app, source, destination, code);
}

export async function moveMaintenance(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('maintenance', app);
  if (report?.get('enabled') === 'true') host.step('maintenance:enable', app);
}
