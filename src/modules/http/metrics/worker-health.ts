/*
 * How the threads are that serve: how late their event loops are, and how much memory they use. Each looks at itself
 * and writes down what it sees, so that whoever is asked can tell of all.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { CounterRows, counterBytes } from '../../../metrics/counter-rows.js';
import type { HttpBuild } from '../../module.js';

/** Every delay of the loop is noticed that is longer than this; one timer in this time is what it costs. */
const RESOLUTION_MS = 20;
/** How old the numbers of another worker may be. */
const LOOK_EVERY_MS = 5000;

const QUANTILES = [0.5, 0.9, 0.99, 1] as const;
const HEAP_USED = QUANTILES.length;
const HEAP_TOTAL = HEAP_USED + 1;
const SLOTS = HEAP_TOTAL + 1;

/** Of one worker. */
export interface WorkerSnapshot {
  readonly worker: number;
  /** In the last few seconds: what so many of the looks at the loop were not later than. */
  readonly delays: readonly { readonly quantile: number; readonly seconds: number }[];
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
}

/** Watches this thread while its configuration serves. */
export class WorkerHealth {
  private readonly rows: CounterRows;
  private readonly delays: IntervalHistogram;

  constructor(build: HttpBuild) {
    const memory = build.sharedMemory('metrics health', '', counterBytes(SLOTS, build.worker));
    this.rows = build.carried('metrics health', '', () => new CounterRows(memory, SLOTS, build.worker));
    this.delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    // The thread that watches over workers has no row of its own, and is asked nothing.
    if (build.worker.index < 0) return;
    this.delays.enable();
    this.look();
    const timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    build.onClose(() => {
      clearInterval(timer);
      this.delays.disable();
    });
  }

  snapshot(): WorkerSnapshot[] {
    const { rows } = this;
    // Of this thread the newest.
    this.look();
    const used = rows.each(HEAP_USED);
    const total = rows.each(HEAP_TOTAL);
    const delays = QUANTILES.map((_, slot) => rows.each(slot));
    return used.map((heapUsedBytes, worker) => ({
      worker,
      delays: QUANTILES.map((quantile, slot) => ({ quantile, seconds: delays[slot]![worker]! })),
      heapUsedBytes,
      heapTotalBytes: total[worker]!,
    }));
  }

  private look(): void {
    const { delays } = this;
    const { own } = this.rows;
    const { heapUsed, heapTotal } = process.memoryUsage();
    own[HEAP_USED] = heapUsed;
    own[HEAP_TOTAL] = heapTotal;
    if (delays.count === 0) return;
    for (const [slot, quantile] of QUANTILES.entries()) {
      const ns = quantile === 1 ? delays.max : delays.percentile(quantile * 100);
      // What Node counts is from one look to the next, with the time it was to wait.
      own[slot] = Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000);
    }
    delays.reset();
  }
}
