/*
 * How many sockets each thread of the process has open, in memory that they share: each counts in a row of its own. What
 * follows from the figures is socket-budget.ts.
 */

/** What is counted, by its word in a row. */
export const OPEN = 0;
/** Those of clients among them. */
export const CLIENTS = 1;
/** Whether clients of that thread have had to wait lately. */
const IS_SHORT = 2;

/** Rows are apart, since processors fetch memory in pairs of lines. */
const ROW_WORDS = 32;

/** In the header. */
const LIMIT = 0;
const NO_LIMIT = 2 ** 31 - 1;

/** The rows of all threads. */
export class SocketCounts {
  /** Written by all threads; small enough that each is written at once. */
  private readonly words: Int32Array;
  private readonly own: Int32Array;
  private readonly ownIndex: number;
  private readonly rowCount: number;

  /**
   * @param memory of `socketCountsBytes(threads)` bytes, made by `makeSocketCounts`
   * @param index whose row this thread counts in, from 0
   */
  constructor(memory: SharedArrayBuffer = makeSocketCounts(1), index = 0) {
    this.words = new Int32Array(memory);
    this.own = rowOf(memory, index);
    this.ownIndex = index;
    this.rowCount = this.words.length / ROW_WORDS - 1;
  }

  /** How many sockets all threads may have. */
  get limit(): number {
    const limit = this.words[LIMIT]!;
    return limit === NO_LIMIT ? Number.POSITIVE_INFINITY : limit;
  }

  set limit(sockets: number) {
    this.words[LIMIT] = Math.min(NO_LIMIT, sockets);
  }

  /** Counts one more or one less. */
  add(isClient: boolean, change: 1 | -1): void {
    this.own[OPEN]! += change;
    if (isClient) this.own[CLIENTS]! += change;
  }

  /** Of all threads. */
  sum(what: number): number {
    let sum = 0;
    for (let row = 0; row < this.rowCount; row++) sum += this.of(row, what);
    return sum;
  }

  /**
   * Whether this thread may have one more of `most` that all threads may have. One alone may have all. Of several each has
   * its part of one half, and what it has besides counts against the other half, which is for all.
   */
  hasRoom(what: number, most: number, threads: number): boolean {
    if (most === Number.POSITIVE_INFINITY) return true;
    const part = threads === 1 ? most : Math.floor(most / (2 * threads));
    if (this.own[what]! < part) return true;
    let left = most - part * threads;
    for (let row = 0; row < this.rowCount && left > 0; row++)
      left -= row < threads ? Math.max(0, this.of(row, what) - part) : this.of(row, what);
    return left > 0;
  }

  /** Sets whether this thread is short. Whether that is news: no other thread is. */
  noteShortage(isShort: boolean): boolean {
    this.own[IS_SHORT] = isShort ? 1 : 0;
    for (let row = 0; row < this.rowCount; row++)
      if (row !== this.ownIndex && this.of(row, IS_SHORT) === 1) return false;
    return true;
  }

  private of(row: number, what: number): number {
    return this.words[(row + 1) * ROW_WORDS + what]!;
  }
}

/** Memory for so many threads, without a limit yet. */
export function makeSocketCounts(threads: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(4 * ROW_WORDS * (1 + threads));
  new Int32Array(memory)[LIMIT] = NO_LIMIT;
  return memory;
}

/** The thread that counted in that row is gone, and its sockets with it. */
export function forgetSockets(memory: SharedArrayBuffer, index: number): void {
  rowOf(memory, index).fill(0);
}

function rowOf(memory: SharedArrayBuffer, index: number): Int32Array {
  return new Int32Array(memory, 4 * ROW_WORDS * (1 + index), ROW_WORDS);
}
