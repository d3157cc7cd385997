import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** The lowest port that a program without root may listen on. */
export function unprivilegedFrom(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return 1024;
  }
}

/** Whether nobody listens there. */
export function isFree(address: { readonly host: string; readonly port: number }): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(address, () => server.close(() => resolve(true)));
  });
}
