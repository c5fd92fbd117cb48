import { describe, expect, test } from 'vitest';
import { Ipv4Ranges } from './ipv4-ranges.js';

function rangesOf(...ranges: readonly [start: number, end: number, value: string][]): Ipv4Ranges<string> {
  const found = new Ipv4Ranges<string>();
  for (const range of ranges) found.add(...range);
  return found;
}

describe('values by ranges of addresses', () => {
  test('a range has its ends, and nothing beyond', () => {
    const ranges = rangesOf([10, 20, 'a'], [30, 30, 'b']);
    expect([9, 10, 20, 21, 30].map((address) => ranges.find(address))).toEqual([
      undefined,
      'a',
      'a',
      undefined,
      'b',
    ]);
  });

  test('a range within another takes its place there', () => {
    const ranges = rangesOf([10, 20, 'a'], [12, 14, 'b'], [10, 10, 'c'], [20, 20, 'd']);
    const values = Array.from({ length: 13 }, (_, i) => ranges.find(9 + i) ?? '.');
    expect(values.join('')).toBe('.cabbbaaaaad.');
  });

  test('the same range again gives the old value back and has the new one', () => {
    const ranges = rangesOf([10, 20, 'a']);
    expect(ranges.add(10, 20, 'b')).toEqual({ kind: 'replaced', old: 'a' });
    expect(ranges.find(15)).toBe('b');
  });

  test.each([
    [5, 15],
    [15, 25],
    [5, 25],
  ])('%d to %d overlaps 10 to 20 and is not added', (start, end) => {
    const ranges = rangesOf([10, 20, 'a']);
    expect(ranges.add(start, end, 'b')).toEqual({ kind: 'overlaps', start: 10, end: 20 });
    expect(ranges.find(start)).toBe(start < 10 ? undefined : 'a');
  });

  test('spans blocks of 65,536 addresses, and may be cut in each of them', () => {
    const ranges = rangesOf([0xfff0, 0x3_0010, 'a']);
    expect(ranges.add(0x1_8000, 0x2_7fff, 'b')).toEqual({ kind: 'added' });
    const values = [0xffef, 0xfff0, 0x1_7fff, 0x1_8000, 0x2_7fff, 0x2_8000, 0x3_0010, 0x3_0011].map(
      (address) => ranges.find(address) ?? '.',
    );
    expect(values.join('')).toBe('.aabbaa.');
  });

  test('only a whole range can be taken away', () => {
    const ranges = rangesOf([10, 20, 'a'], [0xffff_0000, 0xffff_ffff, 'b']);
    expect(ranges.delete(10, 19)).toBe(false);
    expect(ranges.delete(10, 20)).toBe(true);
    expect(ranges.find(15)).toBe(undefined);
    expect(ranges.delete(0xffff_0000, 0xffff_ffff)).toBe(true);
    expect(ranges.find(0xffff_ffff)).toBe(undefined);
  });
});
