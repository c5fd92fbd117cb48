import { describe, expect, it } from 'vitest';
import { Source } from './source.js';
import { countBytes, cutToBytes, decodeConf, toByteString } from './source-text.js';

describe('Source', () => {
  const source = new Source('a.conf', 'ab\r\n\n\tдё\u{1f600}x');

  it.each([
    [0, 1, 1],
    [2, 1, 3],
    [3, 1, 4],
    [4, 2, 1],
    [5, 3, 1],
    [6, 3, 2],
    [8, 3, 4],
    [10, 3, 5],
    [11, 3, 6],
  ])('finds offset %d at %d:%d', (offset, line, column) => {
    expect(source.positionAt(offset)).toEqual({ line, column });
  });

  it('gives lines without their ends', () => {
    expect([1, 2, 3, 4].map((line) => source.lineText(line))).toEqual(['ab', '', '\tдё\u{1f600}x', '']);
  });

  it('counts the end after a last line feed as a line of its own, as nginx does', () => {
    expect(new Source('a.conf', 'a;\n').lineAt(3)).toBe(2);
  });
});

describe('decodeConf and toByteString', () => {
  it.each([
    ['ASCII', [0x61, 0x0a, 0x00]],
    ['UTF-8', [0xd0, 0x96, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80]],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61]],
    ['latin1', [0x63, 0x61, 0x66, 0xe9, 0x3b]],
    ['sequences cut off', [0xd0, 0xe2, 0x82, 0xf0, 0x9f, 0x98, 0x61]],
    ['an overlong form and surrogates', [0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf8, 0xff]],
    ['every byte', Array.from({ length: 256 }, (_, byte) => byte)],
  ])('give back the bytes of %s', (_, bytes) => {
    const text = decodeConf(Uint8Array.from(bytes));
    expect([...toByteString(text)].map((byte) => byte.charCodeAt(0))).toEqual(bytes);
  });

  it('make characters of UTF-8', () => {
    expect(decodeConf(Uint8Array.from([0xef, 0xbb, 0xbf, 0xd0, 0x96]))).toBe('\ufeffЖ');
    expect(decodeConf(Uint8Array.from([0xff, 0xd0, 0x96]))).toBe('\udcffЖ');
  });

  it('count bytes and cut between characters', () => {
    expect(countBytes('aЖ€\u{1f600}')).toBe(10);
    expect([0, 1, 2, 3, 5, 6, 10, 11].map((limit) => cutToBytes('aЖ€\u{1f600}', limit))).toEqual([
      '',
      'a',
      'a',
      'aЖ',
      'aЖ',
      'aЖ€',
      'aЖ€\u{1f600}',
      'aЖ€\u{1f600}',
    ]);
  });
});
