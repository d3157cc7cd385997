import { isIPv6 } from 'node:net';
import { WherryError } from '../domain/errors.ts';

/** Whether nothing but this host reaches an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * A page of elsewhere, whose name was made to lead here, would send its own name (DNS rebinding).
 * @throws wrong-host
 */
export function checkLocalHost(header: string | undefined): void {
  const [, inBrackets, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(header ?? '') ?? [];
  const host = inBrackets !== undefined && isIPv6(inBrackets) ? inBrackets : plain;
  if (host !== undefined && isLoopback(host.toLowerCase())) return;
  throw new WherryError('wrong-host', 'This address is for this host alone. Call it localhost or 127.0.0.1.');
}
