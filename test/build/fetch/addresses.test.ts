import { describe, expect, it } from 'vitest';
import { checkHost, isPublic, parseAllowedHosts } from '../../../src/build/fetch/addresses.ts';

const at =
  (...addresses: string[]) =>
  async () =>
    addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
const nobody = parseAllowedHosts(undefined);

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.100.100.200',
    '192.0.0.192',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    '2001::1',
    'nonsense',
  ])('%s is not for fetching', address => {
    expect(isPublic(address)).toBe(false);
  });

  it.each(['8.8.8.8', '172.32.0.1', '140.82.112.3', '2606:4700::1111', '2a01:4f8::1'])(
    '%s is public',
    address => {
      expect(isPublic(address)).toBe(true);
    },
  );
});

describe('a URL', () => {
  it.each([
    'https://127.0.0.1/x',
    'https://0x7f000001/x',
    'https://2130706433/x',
    'https://0177.0.0.1/x',
    'https://127.1/x',
    'https://[::1]/x',
    'https://[::ffff:7f00:1]/x',
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00:ec2::254]/x',
    'https://0/x',
    'https://１２７.0.0.1/x',
  ])('%s is refused whatever it is written like', async url => {
    await expect(checkHost(new URL(url), nobody)).rejects.toThrow(
      /inside this network, so it is not fetched/,
    );
  });

  it('whose name leads inside is refused, also when only one of its addresses does', async () => {
    const url = new URL('https://rebind.example.org/x');
    await expect(checkHost(url, nobody, at('10.0.0.1'))).rejects.toThrow(/inside this network/);
    await expect(checkHost(url, nobody, at('8.8.8.8', '127.0.0.1'))).rejects.toThrow(/inside this network/);
    expect(await checkHost(url, nobody, at('8.8.8.8'))).toEqual({
      addresses: [{ address: '8.8.8.8', family: 4 }],
    });
  });

  it('without TLS is refused unless the operator allows the host', async () => {
    const url = new URL('http://git.example.org/x');
    await expect(checkHost(url, nobody, at('8.8.8.8'))).rejects.toThrow(/is not fetched by https/);
    expect(await checkHost(url, parseAllowedHosts('git.example.org'), at('10.0.0.1'))).toBeTruthy();
  });

  it('is allowed by host and port, and no other port of that host', async () => {
    const allowed = parseAllowedHosts('127.0.0.1:4000, other.example.org');
    expect(await checkHost(new URL('http://127.0.0.1:4000/x'), allowed)).toBeTruthy();
    await expect(checkHost(new URL('https://127.0.0.1:4001/x'), allowed)).rejects.toThrow(
      /inside this network/,
    );
  });

  it('of another scheme is refused even for an allowed host', async () => {
    await expect(checkHost(new URL('ftp://127.0.0.1/x'), parseAllowedHosts('127.0.0.1'))).rejects.toThrow(
      /https/,
    );
  });

  it('of an unknown host says so', async () => {
    const fails = async () => await Promise.reject(new Error('ENOTFOUND'));
    await expect(checkHost(new URL('https://x.example.org/'), nobody, fails)).rejects.toThrow(
      /cannot be found/,
    );
  });
});
