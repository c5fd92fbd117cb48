/*
 * Which peer serves which session, learned from answers (nginx: sticky learn). Bounded by its zone's memory: when that
 * is full, the session not used for longest is forgotten.
 */
import { createHash } from 'node:crypto';
import { crc32 } from '../core/crc32.js';
import { RecordTable } from '../zones/record-table.js';

/** The values of a record, eight bytes each: when it was used last, and the peer. */
const LAST_USED = 0;
const PEER = 1;
const VALUE_WORDS = 4;

/** So many old sessions are let go at a time, at most. */
const SWEEP = 2;

/** The sessions of one zone. */
export class StickySessions {
  private readonly table: RecordTable;
  /** How long a session lives without a request. */
  timeoutMs: number;

  constructor(memory: SharedArrayBuffer, timeoutMs: number) {
    this.table = new RecordTable(memory, VALUE_WORDS);
    this.timeoutMs = timeoutMs;
  }

  /** How many sessions there are, some of which may have ended. */
  get size(): number {
    return this.table.size;
  }

  /** The number of the session's peer (see peerNumber); 0 when the session isn't known. */
  find(session: string, nowMs: number): number {
    const { table } = this;
    const key = keyOf(session);
    table.lock.acquire();
    const record = table.find(key);
    let number = 0;
    if (record !== 0) {
      const at = table.valuesOf(record) / 2;
      if (nowMs - table.floats[at + LAST_USED]! < this.timeoutMs) number = table.floats[at + PEER]!;
    }
    table.lock.release();
    return number;
  }

  /** The session was served by that peer. One that isn't known begins only if `mayBegin`. */
  learn(session: string, number: number, mayBegin: boolean, nowMs: number): void {
    const { table } = this;
    const key = keyOf(session);
    table.lock.acquire();
    this.sweep(nowMs);
    let record = table.find(key);
    if (record !== 0) table.touch(record);
    else if (mayBegin) {
      while (!table.hasRoomFor(key)) table.remove(table.oldest);
      record = table.add(key);
    }
    if (record !== 0) {
      const at = table.valuesOf(record) / 2;
      table.floats[at + LAST_USED] = nowMs;
      table.floats[at + PEER] = number;
    }
    table.lock.release();
  }

  private sweep(nowMs: number): void {
    const { table } = this;
    for (let i = 0; i < SWEEP && table.oldest !== 0; i++) {
      const at = table.valuesOf(table.oldest) / 2;
      if (nowMs - table.floats[at + LAST_USED]! < this.timeoutMs) return;
      table.remove(table.oldest);
    }
  }
}

/** A number for a peer's id that is the same in all workers, never 0. */
export function peerNumber(id: string): number {
  return (1 + (crc32(`2${id}`) & 0xfffff)) * 0x100000000 + crc32(id);
}

/** Clients choose session ids, so they are kept in a fixed length. */
function keyOf(session: string): string {
  return createHash('md5').update(session, 'latin1').digest('binary');
}
