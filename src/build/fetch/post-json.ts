import type { Proxies } from '../../system/proxy.ts';
import { parseAllowedHosts } from './addresses.ts';
import { post } from './download.ts';

/** Milliseconds for an answer. */
const silence = 10_000;

/** Posts JSON to hosts that the platform may reach. @returns a function that gives the status */
export function createPost(options: {
  /** Hosts inside the network that the operator allows. */
  readonly allowHosts: string;
  readonly caFile: string | undefined;
  readonly proxies: Proxies | undefined;
  readonly agent: string;
}): (url: URL, json: string, signal: AbortSignal) => Promise<number> {
  const { caFile, proxies, agent } = options;
  const allowed = parseAllowedHosts(options.allowHosts);
  const headers = { 'user-agent': agent, 'content-type': 'application/json' };
  return async (url, body, signal) =>
    await post(url, { headers, body }, { allowed, caFile, proxies, silence, signal });
}
