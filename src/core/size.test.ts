import { describe, expect, it } from 'vitest';
import { parseSizeBytes } from './size.js';

describe('parseSizeBytes', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['8k', 8192],
    ['8K', 8192],
    ['10m', 10 * 1024 ** 2],
    ['1G', 1024 ** 3],
    ['8388607g', 8388607 * 1024 ** 3],
  ])('reads "%s" as %d bytes', (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it.each([
    ['', 'Cannot parse size "": it is not a whole number; write it like 512, 8k or 10m'],
    ['k', 'Cannot parse size "k": it is not a whole number; write it like 512, 8k or 10m'],
    ['-1', 'Cannot parse size "-1": it is not a whole number; write it like 512, 8k or 10m'],
    ['1.5m', 'Cannot parse size "1.5m": it is not a whole number; write it like 512, 8k or 10m'],
    ['10mb', 'Cannot parse size "10mb": unknown unit "mb"; use k, m or g'],
    ['10 m', 'Cannot parse size "10 m": unknown unit " m"; use k, m or g'],
    ['8388608g', 'Cannot parse size "8388608g": it is too large; use at most 8388607g'],
  ])('refuses "%s" and says why', (text, message) => {
    expect(() => parseSizeBytes(text)).toThrow(new Error(message));
  });

  it('refuses gigabytes where megabytes are the largest unit', () => {
    expect(parseSizeBytes('1M', 'm')).toBe(1024 ** 2);
    const message = 'Cannot parse size "1G": unknown unit "G"; use k or m';
    expect(() => parseSizeBytes('1G', 'm')).toThrow(new Error(message));
  });
});
