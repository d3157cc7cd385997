import { parseDomain } from '../../domain/names.ts';
import { sift } from '../sift.ts';
import type { DokkuHost } from './host.ts';

/** Domains of an app; those by which it is known through the old host's own name too. */
export async function moveDomains(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('domains', app);
  if (!report) return;
  const given = (report.get('app-vhosts') ?? '').split(/\s+/).filter(each => each !== '');
  const domains = sift(given, host.left, parseDomain);
  if (domains.length > 0) host.step('domains:add', app, ...domains);
  if (report.get('app-enabled') === 'false' && domains.length > 0) host.step('domains:disable', app);
}
