import { describe, expect, it } from 'vitest';
import { formatSeconds } from './seconds.js';

describe('formatSeconds', () => {
  it.each([
    [0, '0.000'],
    [0.99, '0.000'],
    [5.7, '0.005'],
    [42, '0.042'],
    [999.999, '0.999'],
    [1000, '1.000'],
    [61_234.5, '61.234'],
    [86_400_007, '86400.007'],
    [-3, '0.000'],
    [Number.NaN, '0.000'],
  ])('writes %d ms as %s', (ms, seconds) => {
    expect(formatSeconds(ms)).toBe(seconds);
  });
});
