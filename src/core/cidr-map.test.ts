import { describe, expect, test } from 'vitest';
import { CidrMap } from './cidr-map.js';
import { type Cidr, parseCidr } from './cidr-set.js';
import { formatIpAddress, parseIpAddress } from './ip-address.js';

const cidr = (text: string): Cidr => parseCidr(text)!.cidr;

function mapOf(values: Readonly<Record<string, string>>): CidrMap<string> {
  const map = new CidrMap<string>();
  for (const [network, value] of Object.entries(values)) map.set(cidr(network), value);
  return map;
}

describe('values by network', () => {
  const map = mapOf({
    '10.0.0.0/8': 'ten',
    '10.1.2.0/23': 'inner',
    '10.1.3.7': 'one',
    '2001:db8::/33': 'six',
  });
  test.each([
    ['10.9.9.9', 'ten'],
    ['10.1.2.1', 'inner'],
    ['10.1.3.6', 'inner'],
    ['10.1.4.0', 'ten'],
    ['10.1.3.7', 'one'],
    ['11.0.0.0', undefined],
    ['2001:db8:7fff::1', 'six'],
    ['2001:db8:8000::1', undefined],
    ['::a01:307', undefined],
    ['a01:307::', undefined],
  ])('%s has that of the smallest network around it: %s', (address, value) => {
    expect(map.find(parseIpAddress(address)!)).toBe(value);
  });

  test('the network of all addresses has its value for each of its family', () => {
    const all = mapOf({ '0.0.0.0/0': 'four' });
    expect(all.find(parseIpAddress('1.2.3.4')!)).toBe('four');
    expect(all.find(parseIpAddress('::')!)).toBe(undefined);
  });

  test('a value is replaced and taken away by its network alone', () => {
    const changed = mapOf({ '10.0.0.0/8': 'a', '10.0.0.0/9': 'b' });
    changed.set(cidr('10.0.0.0/8'), 'c');
    expect(changed.get(cidr('10.0.0.0/8'))).toBe('c');
    expect(changed.delete(cidr('10.0.0.0/9'))).toBe(true);
    expect(changed.delete(cidr('10.0.0.0/9'))).toBe(false);
    expect(changed.find(parseIpAddress('10.0.0.1')!)).toBe('c');
  });
});

describe('an address as text', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:0db8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
    ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['FE80::A', 'fe80::a'],
  ])('%s is written %s', (text, written) => {
    expect(formatIpAddress(parseIpAddress(text)!)).toBe(written);
  });
});
