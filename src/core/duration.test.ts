import { describe, expect, it } from 'vitest';
import { parseDurationMs } from './duration.js';

describe('parseDurationMs', () => {
  it.each([
    ['0', 0],
    ['30', 30_000],
    ['500ms', 500],
    ['30s', 30_000],
    ['1m', 60_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['1m30', 90_000],
    ['1s500ms', 1500],
    ['1d', 86_400_000],
    ['2w', 14 * 86_400_000],
    ['1M', 30 * 86_400_000],
    ['1y', 365 * 86_400_000],
    ['1h ', 3_600_000],
    ['1h  30m', 5_400_000],
    ['30 ', 30_000],
    ['30 20', 50_000],
    ['1s30', 31_000],
    ['1ms30', 30_001],
  ])('reads "%s" as %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each([
    ['', 'Cannot parse time "": it is empty; write it like 500ms, 30s or 1h30m'],
    ['s', 'Cannot parse time "s": a number is missing before "s"; write it like 500ms, 30s or 1h30m'],
    ['-1s', 'Cannot parse time "-1s": a number is missing before "-1s"; write it like 500ms, 30s or 1h30m'],
    ['1.5s', 'Cannot parse time "1.5s": a number is missing before ".5s"; write it like 500ms, 30s or 1h30m'],
    ['10x', 'Cannot parse time "10x": unknown unit "x"; use ms, s, m, h, d, w, M or y'],
    ['10S', 'Cannot parse time "10S": unknown unit "S"; use ms, s, m, h, d, w, M or y'],
    ['30m1h', 'Cannot parse time "30m1h": units must go from long to short, each once; write it like 1h30m'],
    ['1m1m', 'Cannot parse time "1m1m": units must go from long to short, each once; write it like 1h30m'],
    [
      '30 20s',
      'Cannot parse time "30 20s": units must go from long to short, each once; write it like 1h30m',
    ],
    [
      '1s 30 ',
      'Cannot parse time "1s 30 ": units must go from long to short, each once; write it like 1h30m',
    ],
    ['1hm', 'Cannot parse time "1hm": unknown unit "hm"; use ms, s, m, h, d, w, M or y'],
    ['9999999y', 'Cannot parse time "9999999y": it is too long; use at most 285616y'],
  ])('refuses "%s" and says why', (text, message) => {
    expect(() => parseDurationMs(text)).toThrow(new Error(message));
  });

  it.each([
    ['1M', 'to-weeks', 'Cannot parse time "1M": unknown unit "M"; use ms, s, m, h, d or w'],
    ['1y', 'to-weeks', 'Cannot parse time "1y": unknown unit "y"; use ms, s, m, h, d or w'],
    ['1s1ms', 'from-seconds', 'Cannot parse time "1s1ms": unknown unit "ms"; use s, m, h, d, w, M or y'],
  ] as const)('refuses "%s" where units are %s', (text, units, message) => {
    expect(() => parseDurationMs(text, units)).toThrow(new Error(message));
  });

  it.each([
    ['1w1ms', 'to-weeks', 7 * 86_400_000 + 1],
    ['1y1M', 'from-seconds', 395 * 86_400_000],
  ] as const)('reads "%s" where units are %s', (text, units, ms) => {
    expect(parseDurationMs(text, units)).toBe(ms);
  });

  it('reads the longest time it names', () => {
    expect(parseDurationMs('285616y')).toBe(285_616 * 365 * 86_400_000);
    expect(() => parseDurationMs('285617y')).toThrow('it is too long');
  });
});
