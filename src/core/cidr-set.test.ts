import { describe, expect, it } from 'vitest';
import { CidrSet, parseCidr } from './cidr-set.js';
import { parseIpAddress } from './ip-address.js';

function contains(network: string, address: string): boolean {
  return parseCidr(network)!.cidr.contains(parseIpAddress(address)!);
}

describe('parseCidr', () => {
  it.each([
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    'all',
    '10.0.0.0/ 8',
  ])('refuses "%s"', (text) => expect(parseCidr(text)).toBeNull());

  it('tells of bits behind the prefix, and drops them', () => {
    expect(parseCidr('10.1.0.1/8')).toMatchObject({ hadHostBits: true, cidr: { prefixLength: 8 } });
    expect([...parseCidr('10.1.0.1/8')!.cidr.bytes]).toEqual([10, 0, 0, 0]);
    expect(parseCidr('10.1.0.1')).toMatchObject({ hadHostBits: false, cidr: { prefixLength: 32 } });
  });
});

describe('Cidr', () => {
  it.each([
    ['0.0.0.0/0', '255.1.2.3', true],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['192.168.0.128/25', '192.168.0.127', false],
    ['192.168.0.128/25', '192.168.0.129', true],
    ['1.2.3.4/31', '1.2.3.5', true],
    ['1.2.3.4', '1.2.3.5', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::/0', '1.2.3.4', false],
  ])('%s has %s: %s', (network, address, expected) => expect(contains(network, address)).toBe(expected));
});

it('a set knows IPv4 clients also by the IPv6 address that stands for them, and those of unix sockets', () => {
  const set = new CidrSet([parseCidr('10.0.0.0/8')!.cidr, parseCidr('fd00::/8')!.cidr], true);
  expect(set.has('10.1.2.3')).toBe(true);
  expect(set.has('::ffff:10.1.2.3')).toBe(true);
  expect(set.has('fd01::1')).toBe(true);
  expect(set.has('::1')).toBe(false);
  expect(set.has('unix:')).toBe(true);
  expect(set.has('nonsense')).toBe(false);
  expect(new CidrSet([], false).has('unix:')).toBe(false);
});
