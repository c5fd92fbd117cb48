/*
 * The requests that somebody looks for who asks what is wrong: the slowest of each of the last minutes, and the latest
 * that failed. In memory that workers share, so that any of them can tell of all. What is told of a request is a text
 * that others make: it is asked for first whether it would be kept, which for almost all requests is a comparison.
 */
import { ZoneLock } from '../zones/zone-lock.js';

/** Words of the header. */
const LOCK = 0;
/** Grows with everything that is kept. */
const VERSION = 1;
/** How many failed requests were ever kept. */
const FAILED = 2;
/** The last second in which a request failed, and how many were kept in it. */
const SECOND = 3;
const IN_SECOND = 4;
/** For each minute that is remembered: which it is, and how many requests are kept of it. */
const MINUTES = 6;
const BUCKETS = 6;
const HEADER_BYTES = 128;
/** Behind the words of the header: what a request must have taken longer than, for each minute. */
const FLOORS = 10;

const SLOW_A_MINUTE = 10;
const FAILED_KEPT = 50;
/** Where everything fails, writing it down must not make that worse, nor push out what went before. */
const FAILED_A_SECOND = 5;

/** A duration and a length, then the text. */
const RECORD_BYTES = 4096;
const TEXT_OFFSET = 16;
const RECORDS = MINUTES * SLOW_A_MINUTE + FAILED_KEPT;

/** The longest text, in bytes. */
export const MOST_RECENT_TEXT: number = RECORD_BYTES - TEXT_OFFSET;

/** What the memory needs. */
export const RECENT_REQUESTS_BYTES: number = HEADER_BYTES + RECORDS * RECORD_BYTES;

const MINUTE_MS = 60_000;

/** Requests by what was told of them. */
export interface RecentTexts {
  /** Changes whenever the lists do. */
  readonly version: number;
  /** The slowest first. */
  readonly slow: readonly string[];
  /** The latest first. */
  readonly failed: readonly string[];
}

/** All times are those of sharedMs; texts are latin1. */
export class RecentRequests {
  private readonly words: Int32Array;
  private readonly floats: Float64Array;
  private readonly bytes: Buffer;
  private readonly lock: ZoneLock;

  /** @param memory of RECENT_REQUESTS_BYTES */
  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory);
    this.bytes = Buffer.from(memory);
    this.lock = new ZoneLock(this.words, LOCK, () => this.forget());
  }

  /** Whether one that took so long is among the slowest of this minute, as far as can be said without the lock. */
  isSlow(durationMs: number, nowMs: number): boolean {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const place = minute % MINUTES;
    return this.words[BUCKETS + 2 * place] !== minute || durationMs > this.floats[FLOORS + place]!;
  }

  /** Keeps a request if it is among the slowest of this minute. */
  keepSlow(durationMs: number, nowMs: number, text: string): void {
    const { words, floats, lock } = this;
    const minute = Math.floor(nowMs / MINUTE_MS);
    const place = minute % MINUTES;
    const bucket = BUCKETS + 2 * place;
    lock.acquire();
    if (words[bucket] !== minute) {
      words[bucket + 1] = 0;
      floats[FLOORS + place] = -1;
      words[bucket] = minute;
    }
    const first = place * SLOW_A_MINUTE;
    const count = words[bucket + 1]!;
    if (count < SLOW_A_MINUTE) {
      words[bucket + 1] = count + 1;
      this.write(first + count, durationMs, text);
    } else {
      const fastest = this.fastestOf(first);
      if (this.durationOf(fastest) < durationMs) this.write(fastest, durationMs, text);
    }
    if (words[bucket + 1] === SLOW_A_MINUTE) floats[FLOORS + place] = this.durationOf(this.fastestOf(first));
    lock.release();
  }

  /** Whether one that failed now would be kept, as far as can be said without the lock. */
  hasRoomForFailed(nowMs: number): boolean {
    const { words } = this;
    return words[SECOND] !== Math.floor(nowMs / 1000) || words[IN_SECOND]! < FAILED_A_SECOND;
  }

  /** Keeps a request that failed, in the place of the oldest. */
  keepFailed(durationMs: number, nowMs: number, text: string): void {
    const { words, lock } = this;
    const second = Math.floor(nowMs / 1000);
    lock.acquire();
    if (words[SECOND] !== second) {
      words[SECOND] = second;
      words[IN_SECOND] = 0;
    }
    words[IN_SECOND]!++;
    const slot = MINUTES * SLOW_A_MINUTE + (words[FAILED]! % FAILED_KEPT);
    words[FAILED]!++;
    this.write(slot, durationMs, text);
    lock.release();
  }

  /** Null when nothing has changed since `version`. */
  read(nowMs: number, version: number): RecentTexts | null {
    const { words, lock } = this;
    lock.acquire();
    const current = words[VERSION]!;
    const texts = current === version ? null : { version: current, ...this.readAll(nowMs) };
    lock.release();
    return texts;
  }

  private readAll(nowMs: number) {
    const { words } = this;
    const oldest = Math.floor(nowMs / MINUTE_MS) - MINUTES;
    const slow: number[] = [];
    for (let place = 0; place < MINUTES; place++) {
      const bucket = BUCKETS + 2 * place;
      if (words[bucket]! <= oldest) continue;
      for (let i = 0; i < words[bucket + 1]!; i++) slow.push(place * SLOW_A_MINUTE + i);
    }
    slow.sort((a, b) => this.durationOf(b) - this.durationOf(a));
    const count = words[FAILED]!;
    const failed = Array.from(
      { length: Math.min(count, FAILED_KEPT) },
      (_, i) => MINUTES * SLOW_A_MINUTE + ((count - 1 - i) % FAILED_KEPT),
    );
    const text = (record: number) => this.textOf(record);
    return { slow: slow.map(text), failed: failed.map(text) };
  }

  private fastestOf(first: number): number {
    let fastest = first;
    for (let record = first + 1; record < first + SLOW_A_MINUTE; record++)
      if (this.durationOf(record) < this.durationOf(fastest)) fastest = record;
    return fastest;
  }

  private durationOf(record: number): number {
    return this.floats[(HEADER_BYTES + record * RECORD_BYTES) / 8]!;
  }

  private textOf(record: number): string {
    const at = HEADER_BYTES + record * RECORD_BYTES;
    const start = at + TEXT_OFFSET;
    return this.bytes.toString('latin1', start, start + this.words[at / 4 + 2]!);
  }

  private write(record: number, durationMs: number, text: string): void {
    const at = HEADER_BYTES + record * RECORD_BYTES;
    this.floats[at / 8] = durationMs;
    this.words[at / 4 + 2] = this.bytes.write(text, at + TEXT_OFFSET, MOST_RECENT_TEXT, 'latin1');
    this.words[VERSION] = (this.words[VERSION]! + 1) | 0;
  }

  /** What a thread has left half written that died. With the lock held. */
  private forget(): void {
    this.words.fill(0, FAILED, HEADER_BYTES / 4);
    this.words[VERSION] = (this.words[VERSION]! + 1) | 0;
  }
}
