import { readFileSync } from 'node:fs';

/** Names of network devices where this process is: /sys shows those of whoever mounted it. */
export function devices(): ReadonlySet<string> {
  const lines = readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2);
  return new Set(lines.map(line => line.split(':')[0]?.trim() ?? ''));
}
