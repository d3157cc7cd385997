import { exec, hasProgram } from '../../system/exec.ts';
import type { Log } from '../../system/log.ts';

export type FirewallSpec = {
  readonly table: string;
  readonly bridge: string;
  /** CIDR. */
  readonly range: string;
  readonly nameServers: readonly string[];
  /** Rules of who reaches whom. */
  readonly networks: readonly string[];
};

/** Prefix of every data directory's bridge: instances of one never reach those of another. */
export const bridgePrefix = 'wherry';

/**
 * The rules of one data directory. Instances reach the outside under the host's address. They do not reach metadata services,
 * each other unless they share a network, or anything on the host but its name server. Nobody outside reaches an instance: only the host does. Builds,
 * which run what nobody has looked at, do not reach the host's private networks either, but for what they are granted.
 */
export function firewallRules({ table, bridge, range, nameServers, networks }: FirewallSpec): string {
  return `table inet ${table} {}
delete table inet ${table}
table inet ${table} {
  set builds { type ipv4_addr; }
  set confined { type ipv4_addr; }
  set granted { type ipv4_addr . ipv4_addr . inet_service; }
  chain outbound {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${range} oifname != "${bridge}" masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${bridge}" jump from-instances
    oifname "${bridge}" jump to-instances
  }
  chain from-instances {
    ct state established,related accept
    meta nfproto ipv6 drop
    ip saddr != ${range} drop
    ip daddr { 169.254.0.0/16, 127.0.0.0/8, 224.0.0.0/4, 255.255.255.255 } drop
    oifname "${bridge}" jump networks
    oifname "${bridgePrefix}*" drop
    ip saddr @builds jump from-builds
  }
  chain networks {
    ${networks.join('\n    ')}
  }
  chain from-builds {
    ip saddr . ip daddr . tcp dport @granted accept
    ip saddr @confined drop
    ip daddr { ${nameServers.join(', ')} } meta l4proto { tcp, udp } th dport 53 accept
    ip daddr { ${privateRanges.join(', ')} } drop
  }
  chain to-instances {
    ct state established,related accept
    drop
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oifname "${bridge}" icmp type redirect drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${bridge}" jump to-host
  }
  chain to-host {
    ct state established,related accept
    ip saddr @confined drop
    ip daddr { ${nameServers.join(', ')} } meta l4proto { tcp, udp } th dport 53 accept
    drop
  }
}
`;
}

/** Addresses that lead into somebody's own network, or nowhere. */
const privateRanges = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '240.0.0.0/4',
];

/** What the address of one build may reach beyond, or instead of, the Internet. */
export type BuildRules = {
  readonly address: string;
  /** Whether it reaches what is granted alone. */
  readonly confined: boolean;
  readonly granted: readonly { readonly address: string; readonly port: number }[];
};

/** Puts the rules of a build in force, or takes them away again. */
export async function changeBuildRules(
  table: string,
  how: 'add' | 'delete',
  { address, confined, granted }: BuildRules,
): Promise<void> {
  const pairs = new Set(granted.map(to => `${address} . ${to.address} . ${to.port}`));
  const element = (set: string, elements: string) => `${how} element inet ${table} ${set} { ${elements} }`;
  const lines = [
    element('builds', address),
    ...(confined ? [element('confined', address)] : []),
    ...(pairs.size > 0 ? [element('granted', [...pairs].join(', '))] : []),
  ];
  await exec('nft', ['-f', '-'], { input: `${lines.join('\n')}\n`, timeout: 10_000 });
}

/** Replaces who reaches whom, in one transaction. */
export async function applyNetworks(table: string, rules: readonly string[]): Promise<void> {
  const lines = [
    `flush chain inet ${table} networks`,
    ...rules.map(rule => `add rule inet ${table} networks ${rule}`),
  ];
  await exec('nft', ['-f', '-'], { input: `${lines.join('\n')}\n`, timeout: 10_000 });
}

/** Replaces the table in one transaction. */
export async function applyFirewall(spec: FirewallSpec): Promise<void> {
  await exec('nft', ['-f', '-'], { input: firewallRules(spec), timeout: 10_000 });
}

export async function removeFirewall(table: string): Promise<void> {
  await exec('nft', ['-f', '-'], {
    input: `table inet ${table} {}\ndelete table inet ${table}\n`,
    timeout: 10_000,
  });
}

/**
 * Docker's own chains drop what other bridges forward, and an accept of ours cannot overrule that: Docker reads DOCKER-USER first.
 * Best effort: without Docker there is nothing to do.
 */
export async function passDocker(bridge: string, wanted: boolean, log: Log): Promise<void> {
  if (!hasProgram('iptables')) return;
  for (const direction of ['-i', '-o']) {
    const rule = ['DOCKER-USER', direction, bridge, '-j', 'ACCEPT'];
    const present = await succeeds(['-C', ...rule]);
    if (present === wanted) continue;
    if (await succeeds([wanted ? '-I' : '-D', ...rule])) {
      log.debug({ bridge, direction, wanted }, 'changed the rule for Docker');
    }
  }
}

async function succeeds(args: readonly string[]): Promise<boolean> {
  try {
    await exec('iptables', ['-w', '5', ...args], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
