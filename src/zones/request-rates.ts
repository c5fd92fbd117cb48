/*
 * How fast requests with each key come: a leaky bucket a key, as nginx's limit_req counts. Rates, bursts and excesses
 * are in thousandths of a request, times in whole milliseconds that all who share the zone agree on.
 */
import { RecordTable } from './record-table.js';

/** Values of a record, as eight-byte numbers. */
const LAST_MS = 0;
const EXCESS = 1;
const VALUE_WORDS = 4;

/** Only what wasn't used for so long is forgotten while there is room. */
const EXPIRED_MS = 60_000;

/** What `take` says when even an empty zone has no room for the key. */
export const NO_ROOM = -1;

/** One zone of buckets. */
export class RequestRates {
  readonly memory: SharedArrayBuffer;
  private readonly table: RecordTable;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.table = new RecordTable(memory, VALUE_WORDS);
  }

  /** How many keys are known. */
  get size(): number {
    return this.table.size;
  }

  /** For how many short keys (up to 24 bytes) there is room. */
  get capacity(): number {
    return this.table.capacity;
  }

  /**
   * One more request. Its excess, which is how much it is ahead of the rate: counted if that is within the burst, and
   * else as if it had not come.
   */
  take(key: string, rate: number, burst: number, nowMs: number): number {
    const { table } = this;
    table.lock.acquire();
    const excess = this.takeLocked(key, rate, burst, nowMs);
    table.lock.release();
    return excess;
  }

  /** What `take` would say, without counting. */
  probe(key: string, rate: number, nowMs: number): number {
    const { table } = this;
    table.lock.acquire();
    const record = table.find(key);
    let excess = table.fits(key) ? 0 : NO_ROOM;
    if (record !== 0) {
      table.touch(record);
      excess = this.excessOf(record, rate, nowMs);
    }
    table.lock.release();
    return excess;
  }

  private takeLocked(key: string, rate: number, burst: number, nowMs: number): number {
    const { table } = this;
    const record = table.find(key);
    if (record === 0) return this.begin(key, rate, nowMs);
    table.touch(record);
    const excess = this.excessOf(record, rate, nowMs);
    if (excess > burst) return excess;
    const at = table.valuesOf(record) >> 1;
    table.floats[at + EXCESS] = excess;
    if (elapsedMs(nowMs, table.floats[at + LAST_MS]!) !== 0) table.floats[at + LAST_MS] = nowMs;
    return excess;
  }

  private begin(key: string, rate: number, nowMs: number): number {
    const { table } = this;
    if (!table.fits(key)) return NO_ROOM;
    this.forgetExpired(rate, nowMs);
    while (!table.hasRoomFor(key)) {
      table.remove(table.oldest);
      this.forgetExpired(rate, nowMs);
    }
    const at = table.valuesOf(table.add(key)) >> 1;
    table.floats[at + LAST_MS] = nowMs;
    return 0;
  }

  /** Forgets up to two keys that nobody has used for long and that owe nothing. */
  private forgetExpired(rate: number, nowMs: number): void {
    const { table } = this;
    for (let i = 0; i < 2 && table.oldest !== 0; i++) {
      const at = table.valuesOf(table.oldest) >> 1;
      const ms = Math.abs(nowMs - table.floats[at + LAST_MS]!);
      if (ms < EXPIRED_MS || table.floats[at + EXCESS]! > drained(rate, ms)) return;
      table.remove(table.oldest);
    }
  }

  /** With one more request. */
  private excessOf(record: number, rate: number, nowMs: number): number {
    const { floats } = this.table;
    const at = this.table.valuesOf(record) >> 1;
    const ms = elapsedMs(nowMs, floats[at + LAST_MS]!);
    return Math.max(0, floats[at + EXCESS]! - drained(rate, ms) + 1000);
  }
}

function drained(rate: number, ms: number): number {
  return Math.floor((rate * ms) / 1000);
}

/** Threads read the time one after the other, so it may seem to run back a little; far back it is a new time. */
function elapsedMs(nowMs: number, lastMs: number): number {
  const ms = nowMs - lastMs;
  return ms >= 0 ? ms : ms < -60_000 ? 1 : 0;
}
