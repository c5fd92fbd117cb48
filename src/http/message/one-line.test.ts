import { describe, expect, test } from 'vitest';
import { asFieldValue, asTarget, asUrl } from './one-line.js';

describe('a text of a client in a head', () => {
  test.each([
    ['a b\tc', 'a b\tc', 'a b%09c', 'a%20b%09c'],
    ['a\r\nX: 1', 'a X: 1', 'a%0D%0AX: 1', 'a%0D%0AX:%201'],
    ['\0\x7f\xe9', ' \x7f\xe9', '%00%7F\xe9', '%00%7F\xe9'],
    ['', '', '', ''],
  ])('%j stays on its line', (text, value, url, target) => {
    expect([asFieldValue(text), asUrl(text), asTarget(text)]).toEqual([value, url, target]);
  });
});
