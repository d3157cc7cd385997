import { networkProperties, parseNetworkName, parseNetworkTld } from '../../domain/network.ts';
import { sift } from '../sift.ts';
import type { DokkuHost } from './host.ts';

/** Networks that apps share. @param known those that are here, or that an app before has made */
export async function moveNetworks(host: DokkuHost, app: string, known: Set<string>): Promise<void> {
  const report = await host.report('network', app);
  for (const property of networkProperties) {
    const listed = (report?.get(property) ?? '')
      .split(/[\s,]+/)
      .filter(each => each !== '' && each !== 'none');
    const names = sift(listed, host.left, parseNetworkName);
    for (const name of names.filter(each => !known.has(each))) host.step('network:create', name);
    for (const name of names) known.add(name);
    if (names.length > 0) host.step('network:set', app, property, ...names);
  }
  const tld = report?.get('tld') ?? '';
  if (tld !== '' && sift([tld], host.left, parseNetworkTld).length > 0)
    host.step('network:set', app, 'tld', tld);
}
