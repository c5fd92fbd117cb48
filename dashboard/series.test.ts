import { describe, expect, it } from 'vitest';
import { addUp, lastOf, percentile, rate, readSecond } from './series.js';

const BOUNDS = [0.001, 0.01, 0.1];

describe('percentile', () => {
  it('is within the bound where that part of the requests is, and null without any', () => {
    expect(percentile([0, 0, 0, 0], BOUNDS, 0.5)).toBeNull();
    expect(percentile([10, 0, 0, 0], BOUNDS, 0.5)).toBeCloseTo(0.5);
    expect(percentile([10, 0, 0, 0], BOUNDS, 1)).toBeCloseTo(1);
    expect(percentile([50, 50, 0, 0], BOUNDS, 0.75)).toBeCloseTo(5.5);
    expect(percentile([98, 0, 2, 0], BOUNDS, 0.99)).toBeCloseTo(55);
  });

  it('is the last bound for what took longer than all', () => {
    expect(percentile([1, 0, 0, 9], BOUNDS, 0.5)).toBeCloseTo(100);
  });
});

describe('seconds', () => {
  const row = (atMs: number) => [atMs, 500, 1, 2, 3, 0, 0, 4, 1, 0, 0, 5, 0, 0, 0];

  it('are read from rows, in Unix time', () => {
    expect(readSecond(row(1000), 7000)).toEqual({
      atMs: 8000,
      lengthMs: 500,
      reading: 1,
      writing: 2,
      waiting: 3,
      answers: [0, 0, 4, 1, 0, 0],
      durations: [5, 0, 0, 0],
    });
  });

  it('give rates by how long they were, sums by place, and the last of them', () => {
    expect(rate(5, { lengthMs: 500 })).toBe(10);
    expect(rate(5, { lengthMs: 0 })).toBe(0);
    expect(
      addUp([
        [1, 2],
        [3, 4],
      ]),
    ).toEqual([4, 6]);
    const seconds = [1000, 2000, 3000].map((atMs) => readSecond(row(atMs), 0));
    expect(lastOf(seconds, 3100, 1500).map(({ atMs }) => atMs)).toEqual([2000, 3000]);
  });
});
