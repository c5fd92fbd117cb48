/*
 * Counters in memory that workers share: each adds in a row of its own, so that nobody waits for anybody, and who reads
 * sums up all rows. The row of a worker that has died stays: what it counted has happened. Memory full of zeros is a
 * table of zeros.
 */

import { MAX_WORKERS, ONLY_WORKER, type WorkerPlace } from '../zones/worker-place.js';

/** Rows begin where no other's cache line ends; processors fetch lines in pairs. */
const LINE_FLOATS = 16;

/** Word of the header: how many rows were ever used. The first is left alone, where other memories have their lock. */
const ROWS_USED = 1;

/** Slots of one kind, counted by this thread in `own` and by others in their rows. */
export class CounterRows {
  /** This thread's row, by slot. Numbers that no other thread writes, so plain `++` and `+=` do. */
  readonly own: Float64Array;
  private readonly floats: Float64Array;
  private readonly stride: number;
  private readonly header: Int32Array;
  /** What had been counted when a slot was last to begin anew. Before all rows. */
  private readonly base: Float64Array;

  /** @param memory of `counterBytes(slots, worker)` bytes */
  constructor(memory: SharedArrayBuffer, slots: number, { index }: WorkerPlace = ONLY_WORKER) {
    this.floats = new Float64Array(memory);
    this.stride = strideOf(slots);
    this.header = new Int32Array(memory, 0, LINE_FLOATS);
    const row = Math.max(0, index);
    const start = this.startOf(row);
    this.own = this.floats.subarray(start, start + slots);
    this.base = this.floats.subarray(LINE_FLOATS, LINE_FLOATS + slots);
    let used = this.rowsUsed;
    while (used <= row) {
      Atomics.compareExchange(this.header, ROWS_USED, used, row + 1);
      used = this.rowsUsed;
    }
  }

  /** Lets a slot begin anew, without a word to those who count. */
  reset(slot: number): void {
    this.base[slot]! += this.sum(slot);
  }

  /** What all workers have counted there. */
  sum(slot: number): number {
    const rows = this.rowsUsed;
    let sum = 0 - this.base[slot]!;
    for (let row = 0; row < rows; row++) sum += this.floats[this.startOf(row) + slot]!;
    return sum;
  }

  /** What each of the workers that ever counted has there, by index. */
  each(slot: number): number[] {
    return Array.from({ length: this.rowsUsed }, (_, row) => this.floats[this.startOf(row) + slot]!);
  }

  /** The worker of that index has died: what it had under way at that slot is no more. */
  forget(slot: number, index: number): void {
    this.floats[this.startOf(index) + slot] = 0;
  }

  private get rowsUsed(): number {
    return Atomics.load(this.header, ROWS_USED);
  }

  /** Behind the header, which has a line to itself. */
  private startOf(row: number): number {
    return LINE_FLOATS + (row + 1) * this.stride;
  }
}

/**
 * What CounterRows of so many slots need. A worker among others is given room for as many as there may ever be, since a
 * reload may bring more of them.
 */
export function counterBytes(slots: number, { count }: WorkerPlace = ONLY_WORKER): number {
  const rows = count === 1 ? 1 : MAX_WORKERS;
  return (LINE_FLOATS + (rows + 1) * strideOf(slots)) * Float64Array.BYTES_PER_ELEMENT;
}

function strideOf(slots: number): number {
  return Math.ceil(slots / LINE_FLOATS) * LINE_FLOATS;
}
