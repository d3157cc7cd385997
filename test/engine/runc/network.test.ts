import { describe, expect, test } from 'vitest';
import { firewallRules } from '../../../src/engine/runc/firewall.ts';
import { chooseResolver } from '../../../src/engine/runc/name-servers.ts';
import { addressOf, chooseSubnet, gatewayOf, parseRoutes, rangeOf } from '../../../src/engine/runc/subnet.ts';

const heading = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const routeLine = (device: string, destination: string, mask: string) =>
  `${device}\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0\n`;

describe('the subnet of a data directory', () => {
  test('gives every namespace an address of its own', () => {
    const subnet = { prefix: '10.87' };
    expect(gatewayOf(subnet)).toBe('10.87.0.1');
    expect(rangeOf(subnet)).toBe('10.87.0.0/16');
    expect(addressOf(subnet, 2)).toBe('10.87.0.2');
    expect(addressOf(subnet, 0x1ff)).toBe('10.87.1.255');
  });

  test('is not one that a route of the host covers, in whole or in part', () => {
    const routes = parseRoutes(
      heading +
        routeLine('eth0', '00000000', '00000000') +
        routeLine('br1', '0000570A', '0000FFFF') +
        routeLine('br2', '0080580A', '00FFFFFF'),
    );
    expect(routes[0]).toMatchObject({ device: 'eth0', isDefault: true });
    expect(chooseSubnet({ routes, nameServers: ['10.89.0.53'], seed: 0 })).toEqual({ prefix: '10.90' });
  });

  test('differs by seed, and is none when all are covered', () => {
    expect(chooseSubnet({ routes: [], nameServers: [], seed: 7 })).toEqual({ prefix: '10.94' });
    expect(chooseSubnet({ routes: [], nameServers: [], seed: 0xffffffff })).toBeDefined();
    const routes = parseRoutes(heading + routeLine('vpn', '0000000A', '000000FF'));
    expect(chooseSubnet({ routes, nameServers: [], seed: 0 })).toBeUndefined();
  });
});

describe('the resolver of instances', () => {
  test("keeps the host's name servers that can be reached, and its search list", () => {
    const host = '# made by hand\nsearch corp.example\nnameserver 127.0.0.1\nnameserver 10.0.0.2\n';
    expect(chooseResolver(host, '')).toEqual({
      servers: ['10.0.0.2'],
      text: 'search corp.example\nnameserver 10.0.0.2\n',
    });
  });

  test('replaces a stub on loopback by the servers behind it', () => {
    const { servers, text } = chooseResolver(
      'nameserver 127.0.0.53\noptions edns0\n',
      'nameserver 9.8.7.6\nnameserver fe80::1\n',
    );
    expect(servers).toEqual(['9.8.7.6']);
    expect(text).toBe('options edns0\nnameserver 9.8.7.6\n');
  });

  test('falls back to public servers', () => {
    expect(chooseResolver('', '').servers).toEqual(['1.1.1.1', '9.9.9.9']);
  });
});

test('the firewall replaces its own table in one transaction and names nothing else', () => {
  const rules = firewallRules({
    table: 'wherry_0a',
    bridge: 'wherry0a',
    range: '10.87.0.0/16',
    nameServers: ['10.0.0.2', '10.0.0.3'],
    networks: ['ip saddr { 10.87.0.2, 10.87.0.3 } ip daddr { 10.87.0.2, 10.87.0.3 } accept'],
  });
  expect(rules.match(/table \S+ \S+/g)).toEqual(Array(3).fill('table inet wherry_0a'));
  expect(rules).toContain('ip daddr { 10.0.0.2, 10.0.0.3 } meta l4proto { tcp, udp } th dport 53 accept');
  expect(rules).toContain('169.254.0.0/16');
  // What shares a network is let through before all else between instances is dropped.
  expect(rules.indexOf('jump networks')).toBeLessThan(rules.indexOf('oifname "wherry*" drop'));
  expect(rules).toContain('chain networks {\n    ip saddr { 10.87.0.2, 10.87.0.3 }');
});
