import { describe, expect, it } from 'vitest';
import { namesFor, networkRules, type Peer } from '../../../src/engine/runc/peers.ts';

const peer = (number: number, ...networks: [string, ...string[]][]): Peer => ({
  id: `i${number}`,
  address: `10.87.0.${number}`,
  networks: networks.map(([network, ...names]) => ({ network, names })),
});

describe('who shares a network', () => {
  const peers = [
    peer(2, ['backend', 'blog', 'blog.web']),
    peer(3, ['backend', 'blog', 'blog.web'], ['mail', 'blog.web']),
    peer(4, ['mail', 'smtp']),
    peer(5, ['backend']),
    peer(6, ['alone', 'lonely']),
  ];

  it('reaches the others on it, by one rule for each network that has more than one', () => {
    expect(networkRules(peers)).toEqual([
      'ip saddr { 10.87.0.2, 10.87.0.3, 10.87.0.5 } ip daddr { 10.87.0.2, 10.87.0.3, 10.87.0.5 } accept',
      'ip saddr { 10.87.0.3, 10.87.0.4 } ip daddr { 10.87.0.3, 10.87.0.4 } accept',
    ]);
    expect(networkRules([])).toEqual([]);
  });

  it('knows their names, each beginning with another of them', () => {
    expect(namesFor(peers[0] as Peer, peers)).toBe('10.87.0.3\tblog blog.web\n10.87.0.2\tblog blog.web\n');
    expect(namesFor(peers[1] as Peer, peers)).toBe(
      '10.87.0.2\tblog blog.web\n10.87.0.3\tblog blog.web\n10.87.0.4\tsmtp\n10.87.0.3\tblog.web\n',
    );
    expect(namesFor(peers[2] as Peer, peers)).not.toContain('10.87.0.2');
    expect(namesFor({ id: 'i9', networks: [] }, peers)).toBe('');
  });
});
