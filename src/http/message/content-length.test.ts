import { describe, expect, it } from 'vitest';
import { parseContentLength } from './content-length.js';

describe('parseContentLength', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['00012', 12],
    ['999999999999999', 999_999_999_999_999],
  ])('takes %s', (text, length) => {
    expect(parseContentLength(text)).toBe(length);
  });

  it.each(['', ' ', '+1', '-1', '1.5', '1e2', '0x10', '1,1', '1 1', '1_0', ' 1', '1 ', '\u0661', '/', ':'])(
    'refuses %j',
    (text) => {
      expect(parseContentLength(text)).toBe(-1);
    },
  );

  it('refuses more digits than are exact', () => {
    expect(parseContentLength('1000000000000000')).toBe(-1);
    expect(parseContentLength('0000000000000001')).toBe(-1);
    expect(parseContentLength('18446744073709551621')).toBe(-1);
  });
});
