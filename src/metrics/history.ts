/*
 * What was counted in each of the last seconds, in memory that workers share: one of them writes, all can tell.
 */
import { ZoneLock } from '../zones/zone-lock.js';

/** Ten minutes. */
const ROWS = 600;

/** Words of the header: the lock, and how many rows were ever written. */
const LOCK = 0;
const WRITTEN = 1;
const HEADER_BYTES = 16;

/** Rows of numbers, each with its time first. */
export class History {
  private readonly words: Int32Array;
  private readonly rows: Float64Array;
  private readonly columns: number;
  private readonly lock: ZoneLock;

  /** @param memory of `historyBytes(columns)` @param columns of each row, its time among them */
  constructor(memory: SharedArrayBuffer, columns: number) {
    this.words = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.rows = new Float64Array(memory, HEADER_BYTES);
    this.columns = columns;
    // A row counts once it is whole.
    this.lock = new ZoneLock(this.words, LOCK, () => {});
  }

  /** When the last row was written; 0 before the first. */
  get lastAtMs(): number {
    const written = this.words[WRITTEN]!;
    return written === 0 ? 0 : this.rows[this.startOf(written - 1)]!;
  }

  /** Adds a row, whose first number is its time, in the place of the oldest. */
  add(row: ArrayLike<number>): void {
    this.lock.acquire();
    const written = this.words[WRITTEN]!;
    this.rows.set(row, this.startOf(written));
    this.words[WRITTEN] = written + 1;
    this.lock.release();
  }

  /** The rows after that time, the oldest first. */
  since(atMs: number): number[][] {
    const found: number[][] = [];
    this.lock.acquire();
    const written = this.words[WRITTEN]!;
    for (let i = written - 1; i >= 0 && i >= written - ROWS; i--) {
      const start = this.startOf(i);
      if (this.rows[start]! <= atMs) break;
      found.push([...this.rows.subarray(start, start + this.columns)]);
    }
    this.lock.release();
    return found.reverse();
  }

  private startOf(row: number): number {
    return (row % ROWS) * this.columns;
  }
}

/** What the memory of rows with so many columns needs. */
export function historyBytes(columns: number): number {
  return HEADER_BYTES + ROWS * columns * 8;
}
