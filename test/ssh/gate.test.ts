import { describe, expect, it } from 'vitest';
import { Gate, network } from '../../src/ssh/gate.ts';
import { defaultLimits } from '../../src/ssh/limits.ts';

const limits = { ...defaultLimits, strangers: 3, strangersPerAddress: 2, connections: 5 };

describe('the gate for connections', () => {
  it('takes so many strangers from one address and so many in all', () => {
    const gate = new Gate(limits);
    expect(gate.enter('192.0.2.1')).toBeDefined();
    expect(gate.enter('192.0.2.1')).toBeDefined();
    expect(gate.enter('192.0.2.1')).toBeUndefined();
    expect(gate.enter('192.0.2.2')).toBeDefined();
    expect(gate.enter('192.0.2.3')).toBeUndefined();
  });

  it('counts those who logged in only among all connections', () => {
    const gate = new Gate(limits);
    for (let index = 0; index < 5; index += 1) gate.enter('192.0.2.1')?.known();
    expect(gate.enter('192.0.2.9')).toBeUndefined();
  });

  it('gives a place back once, however often it is left', () => {
    const gate = new Gate({ ...limits, strangers: 1 });
    const place = gate.enter('192.0.2.1');
    expect(gate.enter('192.0.2.2')).toBeUndefined();
    place?.known();
    place?.leave();
    place?.leave();
    expect(gate.enter('192.0.2.2')).toBeDefined();
    expect(gate.enter('192.0.2.3')).toBeUndefined();
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
