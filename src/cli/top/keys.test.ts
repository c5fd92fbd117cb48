import { expect, it } from 'vitest';
import { isEnding } from './keys.js';

it.each([
  ['q', true],
  ['aq', true],
  ['\u0003', true],
  ['\u001b', true],
  ['\u001b[A', false],
  ['\u001bOP', false],
  ['a', false],
])('%j ends it: %s', (keys, ends) => {
  expect(isEnding(Buffer.from(keys))).toBe(ends);
});
