import { exec, hasProgram } from '../../system/exec.ts';
import type { Log } from '../../system/log.ts';

export type FirewallSpec = {
  readonly table: string;
  readonly bridge: string;
  /** CIDR. */
  readonly range: string;
  readonly nameServers: readonly string[];
};

/** Prefix of every data directory's bridge: instances of one never reach those of another. */
export const bridgePrefix = 'wherry';

/**
 * The rules of one data directory. Instances reach the outside under the host's address. They do not reach metadata services,
 * each other, or anything on the host but its name server. Nobody outside reaches an instance: only the host does.
 */
export function firewallRules({ table, bridge, range, nameServers }: FirewallSpec): string {
  return `table inet ${table} {}
delete table inet ${table}
table inet ${table} {
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
    oifname "${bridgePrefix}*" drop
  }
  chain to-instances {
    ct state established,related accept
    drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${bridge}" jump to-host
  }
  chain to-host {
    ct state established,related accept
    ip daddr { ${nameServers.join(', ')} } meta l4proto { tcp, udp } th dport 53 accept
    drop
  }
}
`;
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
