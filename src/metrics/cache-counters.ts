/*
 * What a cache was asked, and what came of it: answers and the bytes of their bodies, by what the cache had.
 */
import type { WorkerPlace } from '../zones/worker-place.js';
import { OutcomeCounters, outcomeBytes } from './outcome-counters.js';

/** Answers from the cache, and answers of upstreams, which may have been written to it. */
const FROM_CACHE = ['hit', 'stale', 'updating', 'revalidated'] as const;
const FROM_UPSTREAM = ['miss', 'expired', 'bypass'] as const;

/** In the words of NGINX Plus. */
export type CacheOutcome = (typeof FROM_CACHE | typeof FROM_UPSTREAM)[number];
type Measure = 'responses' | 'bytes' | 'responses_written' | 'bytes_written';

const NAMES = [
  ...FROM_CACHE.flatMap((outcome) => [`${outcome} responses`, `${outcome} bytes`] as const),
  ...FROM_UPSTREAM.flatMap(
    (outcome) =>
      [
        `${outcome} responses`,
        `${outcome} bytes`,
        `${outcome} responses_written`,
        `${outcome} bytes_written`,
      ] as const,
  ),
];

/** Of one cache. */
export class CacheCounters {
  private readonly counters: OutcomeCounters;

  /** @param memory of `cacheCounterBytes(worker)` bytes */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(cacheCounterBytes()), worker?: WorkerPlace) {
    this.counters = new OutcomeCounters<string>(NAMES, memory, worker);
  }

  add(outcome: CacheOutcome, measure: Measure, count: number): void {
    this.counters.add(`${outcome} ${measure}`, count);
  }

  /** Begins to count anew. */
  reset(): void {
    this.counters.reset();
  }

  /** By outcome and measure. */
  snapshot(): Record<string, Record<string, number>> {
    const told: Record<string, Record<string, number>> = {};
    for (const [name, count] of Object.entries(this.counters.snapshot())) {
      const [outcome, measure] = name.split(' ') as [string, string];
      told[outcome] ??= {};
      told[outcome][measure] = count;
    }
    return told;
  }
}

/** What CacheCounters need. */
export function cacheCounterBytes(worker?: WorkerPlace): number {
  return outcomeBytes(NAMES, worker);
}
