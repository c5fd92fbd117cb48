import { describe, expect, test } from 'vitest';
import { forwardedAddress } from './forwarded-address.js';

const PROXIES = new Set(['10.0.0.1', '10.0.0.2', '::1']);

function find(lines: readonly string[], isRecursive = false, client = '10.0.0.1') {
  return forwardedAddress(client, lines, (address) => PROXIES.has(address), isRecursive);
}

describe('the client behind trusted proxies', () => {
  test('is not looked for when who connects is not trusted', () => {
    expect(find(['1.2.3.4'], false, '10.0.0.3')).toBe(null);
  });

  test.each([
    [['1.2.3.4'], '1.2.3.4', 0],
    [['9.9.9.9, 1.2.3.4'], '1.2.3.4', 0],
    [['9.9.9.9,1.2.3.4 , '], '1.2.3.4', 0],
    [['9.9.9.9', '1.2.3.4'], '1.2.3.4', 0],
    [['1.2.3.4:80'], '1.2.3.4', 80],
    [['[2001:db8::1]:80'], '2001:db8::1', 80],
    [['[2001:db8::1]'], '2001:db8::1', 0],
    [['2001:db8::1'], '2001:db8::1', 0],
  ])('is the last of %j: %s port %d', (lines, address, port) => {
    expect(find(lines)).toEqual({ address, port });
  });

  test.each([
    [[]],
    [['']],
    [['unknown']],
    [['1.2.3.4, x']],
    [['1.2.3.4:']],
    [['1.2.3.4:0']],
    [['1.2.3.4:65536']],
    [['[1.2.3.4]:80']],
    [['::1:80:g']],
  ])('is nobody in %j', (lines) => {
    expect(find(lines)).toBe(null);
  });

  test.each([
    [['9.9.9.9, 1.2.3.4, 10.0.0.2'], '1.2.3.4'],
    [['9.9.9.9, 1.2.3.4', '10.0.0.2', '10.0.0.1'], '1.2.3.4'],
    [['10.0.0.2, 10.0.0.1'], '10.0.0.2'],
    [['1.2.3.4, unknown, 10.0.0.2'], '10.0.0.2'],
    [['1.2.3.4, ::1'], '1.2.3.4'],
  ])('recursively is the last of %j that is not trusted: %s', (lines, address) => {
    expect(find(lines, true)?.address).toBe(address);
  });
});
