import { describe, expect, it } from 'vitest';
import { network } from '../../src/domain/network-name.ts';
import { Gate, type GateLimits } from '../../src/ssh/gate.ts';

const limits = { strangers: 3, strangersPerAddress: 2, connections: 5, line: 4, linePerAddress: 3 };

/** A gate, and who came in, in their order. */
function opened(own: Partial<GateLimits> = {}) {
  const gate = new Gate({ ...limits, ...own });
  const inside: string[] = [];
  const enter = (address: string, name = address) => gate.enter(address, () => inside.push(name));
  return { enter, inside };
}

describe('the gate for connections', () => {
  it('lets so many strangers of one address in, and so many in all; the others wait', () => {
    const { enter, inside } = opened();
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.3'])
      expect(enter(address)).toBeDefined();
    expect(inside).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.2']);
  });

  it('calls in who waited longest when one has logged in or left, but for those whose address has enough', () => {
    const { enter, inside } = opened();
    const first = enter('192.0.2.1', 'a');
    enter('192.0.2.1', 'b');
    enter('192.0.2.1', 'c');
    const fourth = enter('192.0.2.2', 'd');
    enter('192.0.2.3', 'e');
    expect(inside).toEqual(['a', 'b', 'd']);
    fourth?.leave();
    expect(inside).toEqual(['a', 'b', 'd', 'e']);
    first?.known();
    expect(inside).toEqual(['a', 'b', 'd', 'e', 'c']);
  });

  it('refuses who finds the line full, in all or for one address', () => {
    const { enter } = opened({ strangers: 1 });
    enter('192.0.2.9');
    for (let index = 0; index < 3; index += 1) expect(enter('192.0.2.1')).toBeDefined();
    expect(enter('192.0.2.1')).toBeUndefined();
    expect(enter('192.0.2.2')).toBeDefined();
    expect(enter('192.0.2.3')).toBeUndefined();
  });

  it('lets nobody in who left the line', () => {
    const { enter, inside } = opened({ strangers: 1 });
    const first = enter('192.0.2.1', 'a');
    enter('192.0.2.1', 'b')?.leave();
    enter('192.0.2.1', 'c');
    first?.leave();
    expect(inside).toEqual(['a', 'c']);
  });

  it('counts those who logged in only among all connections', () => {
    const { enter, inside } = opened();
    for (let index = 0; index < 6; index += 1) enter('192.0.2.1')?.known();
    expect(inside).toHaveLength(5);
  });

  it('gives a place back once, however often it is left', () => {
    const { enter, inside } = opened({ strangers: 1 });
    const place = enter('192.0.2.1', 'a');
    place?.known();
    place?.leave();
    place?.leave();
    enter('192.0.2.2', 'b');
    enter('192.0.2.3', 'c');
    expect(inside).toEqual(['a', 'b']);
  });

  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('counts %s as %s', (address, name) => {
    expect(network(address)).toBe(name);
  });
});
