import { expect, test } from 'vitest';
import { murmurHash2 } from './murmur-hash.js';

// The values are those of a program of its own, written from the description of the algorithm.
test.each([
  ['', 0],
  ['a', 2456313694],
  ['ab', 446775395],
  ['abc', 324500635],
  ['abcd', 646393889],
  ['client-42', 655041227],
  ['\xff\xfe\xe9\x80\x81', 2075839867],
])('the hash of %j is %d', (text, hash) => {
  expect(murmurHash2(text)).toBe(hash);
});
