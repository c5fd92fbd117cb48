import { describe, expect, it } from 'vitest';
import { parseIpAddress, parseIpv4, parseIpv6, unmapIpv4 } from './ip-address.js';

const hex = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('hex');

describe('parseIpv4', () => {
  it.each([
    ['0.0.0.0', '00000000'],
    ['127.0.0.1', '7f000001'],
    ['255.255.255.255', 'ffffffff'],
    ['010.1.2.3', '0a010203'],
  ])('reads %s', (text, bytes) => expect(hex(parseIpv4(text))).toBe(bytes));

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.',
    '1.2.3.4.',
    '1.2.3.4.5',
    '256.1.1.1',
    '1..2.3',
    'a.b.c.d',
    ' 1.2.3.4',
  ])('refuses "%s"', (text) => expect(parseIpv4(text)).toBeNull());
});

describe('parseIpv6', () => {
  it.each([
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:db8::8:800:200C:417a', '20010db80000000000080800200c417a'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['::ffff:1.2.3.4', '00000000000000000000ffff01020304'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
  ])('reads %s', (text, bytes) => expect(hex(parseIpv6(text))).toBe(bytes));

  it.each([
    '',
    ':',
    ':::',
    '1',
    '1:',
    ':1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8:',
    '1:2:3:4::5:6:7:8',
    '1::2::3',
    '12345::',
    '::g',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1%lo',
    '[::1]',
  ])('refuses "%s"', (text) => expect(parseIpv6(text)).toBeNull());
});

it('takes an IPv4 address out of an IPv6 one that stands for it', () => {
  expect(hex(unmapIpv4(parseIpAddress('::ffff:10.0.0.1')!))).toBe('0a000001');
  expect(unmapIpv4(parseIpAddress('::fffe:10.0.0.1')!)).toHaveLength(16);
  expect(unmapIpv4(parseIpAddress('1::ffff:10.0.0.1')!)).toHaveLength(16);
});
