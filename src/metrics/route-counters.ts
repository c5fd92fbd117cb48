/*
 * What is counted of the requests that end in one location of one zone.
 */
import type { WorkerPlace } from '../zones/worker-place.js';
import { CounterRows, counterBytes } from './counter-rows.js';
import { HISTOGRAM_SLOTS, type HistogramSnapshot, observe, readHistogram } from './histogram.js';

/** What became of a request: the class of its answer's status, or none. */
export const ANSWER_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** $upstream_cache_status */
export const CACHE_STATUSES = [
  'HIT',
  'MISS',
  'EXPIRED',
  'BYPASS',
  'STALE',
  'UPDATING',
  'REVALIDATED',
] as const;
export type CacheStatus = (typeof CACHE_STATUSES)[number];

const CACHE = ANSWER_CLASSES.length;
const RETRIES = CACHE + CACHE_STATUSES.length;
const DURATION = RETRIES + 1;
const CONNECT = DURATION + HISTOGRAM_SLOTS;
const HEADER = CONNECT + HISTOGRAM_SLOTS;
const SLOTS = HEADER + HISTOGRAM_SLOTS;

/** Of one location, over all workers. */
export interface RouteSnapshot {
  /** In the order of ANSWER_CLASSES. */
  readonly answers: readonly number[];
  /** In the order of CACHE_STATUSES. */
  readonly cache: readonly number[];
  /** Tries at upstreams beyond the first. */
  readonly retries: number;
  readonly duration: HistogramSnapshot;
  readonly connect: HistogramSnapshot;
  readonly header: HistogramSnapshot;
}

/** The counters of one location. */
export class RouteCounters {
  private readonly rows: CounterRows;
  private readonly own: Float64Array;

  /** Bytes of memory that one needs. */
  static bytes(worker?: WorkerPlace): number {
    return counterBytes(SLOTS, worker);
  }

  /** @param memory of `RouteCounters.bytes(worker)` bytes */
  constructor(memory: SharedArrayBuffer, worker?: WorkerPlace) {
    this.rows = new CounterRows(memory, SLOTS, worker);
    this.own = this.rows.own;
  }

  /** A request has ended after so long; `status` is 0 where there was no answer. */
  noteEnd(status: number, durationMs: number): void {
    const answerClass = Math.floor(status / 100);
    this.own[answerClass < ANSWER_CLASSES.length ? answerClass : 0]!++;
    observe(this.own, DURATION, durationMs);
  }

  noteCache(status: CacheStatus): void {
    this.own[CACHE + CACHE_STATUSES.indexOf(status)]!++;
  }

  /** A try beyond the first. */
  noteRetry(): void {
    this.own[RETRIES]!++;
  }

  /** An upstream took so long to accept a connection. */
  noteConnect(ms: number): void {
    observe(this.own, CONNECT, ms);
  }

  /** An upstream took so long from the try's begin to the head of its answer. */
  noteHeader(ms: number): void {
    observe(this.own, HEADER, ms);
  }

  snapshot(): RouteSnapshot {
    const { rows } = this;
    return {
      answers: ANSWER_CLASSES.map((_, slot) => rows.sum(slot)),
      cache: CACHE_STATUSES.map((_, slot) => rows.sum(CACHE + slot)),
      retries: rows.sum(RETRIES),
      duration: readHistogram(rows, DURATION),
      connect: readHistogram(rows, CONNECT),
      header: readHistogram(rows, HEADER),
    };
  }
}
