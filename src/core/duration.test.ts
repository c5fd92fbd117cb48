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
    ['1h ', 'Cannot parse time "1h ": it ends in a space; write it like 1h 30m'],
    ['9999999y', 'Cannot parse time "9999999y": it is too long; use at most 285616y'],
  ])('refuses "%s" and says why', (text, message) => {
    expect(() => parseDurationMs(text)).toThrow(new Error(message));
  });

  it('reads the longest time it names', () => {
    expect(parseDurationMs('285616y')).toBe(285_616 * 365 * 86_400_000);
    expect(() => parseDurationMs('285617y')).toThrow('it is too long');
  });
});
