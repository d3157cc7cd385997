import { checkPortMap, parsePortMapping } from '../../domain/port-map.ts';
import { sift } from '../sift.ts';
import type { DokkuHost } from './host.ts';
import type { Report } from './report.ts';

/** The port that web listens on, and what visitors' ports lead there. Until 0.31 it was in the report of the proxy. */
export async function movePorts(host: DokkuHost, app: string): Promise<void> {
  const map = mapOf(await host.report('ports', app)) ?? mapOf(await host.report('proxy', app), 'port-map');
  const given = (map ?? '').split(/\s+/).filter(each => each !== '');
  const standard = { http: 80, https: 443 };
  const mappings = sift(given, host.left, each => checkPortMap([parsePortMapping(each)], standard));
  const whole = sift([mappings], host.left, all => checkPortMap(all.map(parsePortMapping), standard));
  if (mappings.length > 0 && whole.length > 0) host.step('ports:set', app, ...mappings);
}

function mapOf(report: Report | undefined, key = 'map'): string | undefined {
  return report?.get(key);
}
