/*
 * How long things took, as counts by upper bounds. Bounds are those of Prometheus clients, with a finer start: a proxy's
 * own part is less than a millisecond.
 */
import type { CounterRows } from './counter-rows.js';

/** Upper bounds in seconds, each included; what took longer is behind the last. */
export const SECONDS_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

const BOUNDS_MS = new Float64Array(SECONDS_BOUNDS.map((seconds) => seconds * 1000));
const SUM = BOUNDS_MS.length + 1;

/** Slots of one histogram: a count for each bound, for what is beyond all, and the sum of milliseconds. */
export const HISTOGRAM_SLOTS: number = SUM + 1;

/** Counts one that took so long, in the histogram at slot `at`. */
export function observe(own: Float64Array, at: number, ms: number): void {
  let bucket = 0;
  // perf: most are in the first few; a search by halves takes longer for those.
  while (bucket < BOUNDS_MS.length && ms > BOUNDS_MS[bucket]!) bucket++;
  own[at + bucket]!++;
  own[at + SUM]! += ms;
}

/** A histogram as Prometheus wants it. */
export interface HistogramSnapshot {
  /** How many took no longer than each of SECONDS_BOUNDS. */
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** What all workers have counted in the histogram at slot `at`. */
export function readHistogram(rows: CounterRows, at: number): HistogramSnapshot {
  let count = 0;
  const cumulative = SECONDS_BOUNDS.map((_, bucket) => {
    count += rows.sum(at + bucket);
    return count;
  });
  return {
    cumulative,
    count: count + rows.sum(at + SECONDS_BOUNDS.length),
    sumSeconds: rows.sum(at + SUM) / 1000,
  };
}
