/*
 * How many requests with each key are under way, as nginx's limit_conn counts. A key is there as long as it has any.
 */
import { RecordTable } from './record-table.js';

/** The value of a record. */
const COUNT = 0;
const VALUE_WORDS = 1;

/** What `take` says when the limit is reached. */
export const LIMIT_REACHED = 0;
/** What `take` says when the zone has no room for another key. */
export const ZONE_FULL = -1;

/** A ticket is the record, and this many times the table's epoch. */
const RECORDS_PER_EPOCH = 2 ** 26;

/** One zone of counters. */
export class ConnectionCounts {
  readonly memory: SharedArrayBuffer;
  private readonly table: RecordTable;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.table = new RecordTable(memory, VALUE_WORDS);
  }

  /** How many keys have any. */
  get size(): number {
    return this.table.size;
  }

  /** For how many short keys (up to 36 bytes) there is room. */
  get capacity(): number {
    return this.table.capacity;
  }

  /** Counts one more. A ticket to be given to `release` once; LIMIT_REACHED or ZONE_FULL if it can't be. */
  take(key: string, limit: number): number {
    const { table } = this;
    table.lock.acquire();
    const ticket = this.takeLocked(key, limit);
    table.lock.release();
    return ticket;
  }

  /**
   * Nobody has any: who counted some is no more, and nobody knows which. Tickets of before mean nothing from now on, so
   * that for a while there may be more than the limit, and never fewer for good.
   */
  clear(): void {
    const { table } = this;
    table.lock.acquire();
    table.clear();
    table.lock.release();
  }

  /** One less. */
  release(ticket: number): void {
    const { table } = this;
    table.lock.acquire();
    if (Math.floor(ticket / RECORDS_PER_EPOCH) === table.epoch) {
      const record = ticket % RECORDS_PER_EPOCH;
      const at = table.valuesOf(record) + COUNT;
      if (--table.words[at]! === 0) table.remove(record);
    }
    table.lock.release();
  }

  private takeLocked(key: string, limit: number): number {
    const { table } = this;
    let record = table.find(key);
    if (record === 0) {
      if (!table.hasRoomFor(key)) return ZONE_FULL;
      record = table.add(key);
    }
    const at = table.valuesOf(record) + COUNT;
    if (table.words[at]! >= limit) return LIMIT_REACHED;
    table.words[at]!++;
    return table.epoch * RECORDS_PER_EPOCH + record;
  }
}
