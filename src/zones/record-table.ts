/*
 * Records in a bounded piece of shared memory: found by a byte string, queued by when they were used last. Memory
 * full of zeros is an empty table, so whoever is given the memory first can begin. What records mean is for others;
 * they hold the lock around all they do here.
 */
import { randomInt } from 'node:crypto';
import { hashKey } from './key-hash.js';
import { ZoneLock } from './zone-lock.js';

/** Words of the header. */
const LOCK = 0;
const EPOCH = 1;
const NEWEST = 2;
const OLDEST = 3;
const FREE = 4;
const TOUCHED = 5;
const USED = 6;
const RECORDS = 7;
const HASH_KEY_0 = 8;
const HASH_KEY_1 = 9;
const HEADER_BYTES = 64;

/**
 * Words of the header from here on are for what those who own the table keep of all its records; six of them, and an even
 * number. They are 0 at first, and again when all records were lost.
 */
export const OWNERS_WORDS = 10;

/** Memory is given out in cells: a record is one, and as many more as its key needs. */
const CELL_BYTES = 64;
const CELL_WORDS = CELL_BYTES / 4;
/** Words of a record; then come its values and the beginning of its key. Cells are counted from 1, 0 is none. */
const NEXT = 0;
const NEWER = 1;
const OLDER = 2;
const HASH = 3;
const KEY_LENGTH = 4;
const KEY_REST = 5;
const VALUES = 6;
/** A cell with more of a key: the next such cell, then bytes. */
const REST_BYTES = CELL_BYTES - 4;

/** The keys of one zone with a few numbers each. */
export class RecordTable {
  readonly lock: ZoneLock;
  /** For the values of records, at `valuesOf`. */
  readonly words: Int32Array;
  /** The same memory: a value of eight bytes is at half of its word's index, which is even. */
  readonly floats: Float64Array;
  /** How many records with short keys have room. */
  readonly capacity: number;
  private readonly bytes: Uint8Array;
  private readonly bucketMask: number;
  /** Where cell 0 would begin, in words. */
  private readonly origin: number;
  private readonly keyOffset: number;
  private readonly inlineBytes: number;

  /** @param memory at least 1024 bytes @param valueWords four-byte words of each record's values, even or one */
  constructor(memory: SharedArrayBuffer, valueWords: number) {
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory, 0, memory.byteLength >> 3);
    this.bytes = new Uint8Array(memory);
    const buckets = 2 ** Math.floor(Math.log2((memory.byteLength - HEADER_BYTES) / (CELL_BYTES + 4)));
    const cellsAt = HEADER_BYTES + Math.ceil((buckets * 4) / CELL_BYTES) * CELL_BYTES;
    this.bucketMask = buckets - 1;
    this.capacity = Math.floor((memory.byteLength - cellsAt) / CELL_BYTES);
    this.origin = cellsAt / 4 - CELL_WORDS;
    this.keyOffset = (VALUES + valueWords) * 4;
    this.inlineBytes = CELL_BYTES - this.keyOffset;
    this.lock = new ZoneLock(this.words, LOCK, () => this.clear());
    for (const word of [HASH_KEY_0, HASH_KEY_1]) {
      Atomics.compareExchange(this.words, word, 0, randomInt(1, 0x7fffffff));
    }
  }

  /** How many records there are. */
  get size(): number {
    return this.words[RECORDS]!;
  }

  /** Changes when all records were lost: what was remembered of one before then means nothing. */
  get epoch(): number {
    return this.words[EPOCH]!;
  }

  /** The record that was used longest ago; 0 for none. */
  get oldest(): number {
    return this.words[OLDEST]!;
  }

  /** The key of a record. */
  keyOf(record: number): string {
    const { words, bytes } = this;
    const at = this.wordOf(record);
    const length = words[at + KEY_LENGTH]!;
    let key = '';
    let byte = at * 4 + this.keyOffset;
    let limit = this.inlineBytes;
    let link = at + KEY_REST;
    for (;;) {
      while (key.length < length && key.length < limit) key += String.fromCharCode(bytes[byte++]!);
      if (key.length === length) return key;
      link = this.wordOf(words[link]!) + NEXT;
      byte = (link + 1) * 4;
      limit += REST_BYTES;
    }
  }

  /** The record that was used next after this one; 0 for none. */
  newerThan(record: number): number {
    return this.words[this.wordOf(record) + NEWER]!;
  }

  /** Whether a key would have room in an empty table. */
  fits(key: string): boolean {
    return this.cellsFor(key.length) <= this.capacity;
  }

  /** Whether a key has room as things are. */
  hasRoomFor(key: string): boolean {
    return this.cellsFor(key.length) <= this.capacity - this.words[USED]!;
  }

  /** The record of a key; 0 for none. */
  find(key: string): number {
    const { words } = this;
    const hash = this.hashOf(key);
    let record = words[this.bucketOf(hash)]!;
    while (record !== 0) {
      const at = this.wordOf(record);
      if (words[at + HASH] === hash && words[at + KEY_LENGTH] === key.length && this.hasKey(at, key)) break;
      record = words[at + NEXT]!;
    }
    return record;
  }

  /** A new record, the newest, with all values 0. The key isn't there yet and has room. */
  add(key: string): number {
    const { words } = this;
    const hash = this.hashOf(key);
    const bucket = this.bucketOf(hash);
    const record = this.takeCell();
    const at = this.wordOf(record);
    words.fill(0, at + VALUES, at + this.keyOffset / 4);
    words[at + HASH] = hash;
    words[at + KEY_LENGTH] = key.length;
    this.writeKey(at, key);
    words[at + NEXT] = words[bucket]!;
    words[bucket] = record;
    words[RECORDS]!++;
    this.enqueue(record, at);
    return record;
  }

  /** Where a record's values begin in `words`. */
  valuesOf(record: number): number {
    return this.wordOf(record) + VALUES;
  }

  /** It is the newest now. */
  touch(record: number): void {
    if (this.words[NEWEST] === record) return;
    const at = this.wordOf(record);
    this.dequeue(at);
    this.enqueue(record, at);
  }

  remove(record: number): void {
    const { words } = this;
    const at = this.wordOf(record);
    let link = this.bucketOf(words[at + HASH]!);
    while (words[link] !== record) link = this.wordOf(words[link]!) + NEXT;
    words[link] = words[at + NEXT]!;
    this.dequeue(at);
    words[RECORDS]!--;
    let rest = words[at + KEY_REST]!;
    this.giveCell(record);
    while (rest !== 0) {
      const next = words[this.wordOf(rest) + NEXT]!;
      this.giveCell(rest);
      rest = next;
    }
  }

  /** Forgets all records. With the lock held. */
  clear(): void {
    const { words } = this;
    words.fill(0, HEADER_BYTES / 4, HEADER_BYTES / 4 + this.bucketMask + 1);
    for (const word of [NEWEST, OLDEST, FREE, TOUCHED, USED, RECORDS]) words[word] = 0;
    words.fill(0, OWNERS_WORDS, HEADER_BYTES / 4);
    words[EPOCH]!++;
  }

  private wordOf(cell: number): number {
    return this.origin + cell * CELL_WORDS;
  }

  private hashOf(key: string): number {
    return hashKey(key, this.words[HASH_KEY_0]!, this.words[HASH_KEY_1]!);
  }

  private bucketOf(hash: number): number {
    return HEADER_BYTES / 4 + (hash & this.bucketMask);
  }

  private cellsFor(keyLength: number): number {
    return 1 + Math.ceil(Math.max(0, keyLength - this.inlineBytes) / REST_BYTES);
  }

  private takeCell(): number {
    const { words } = this;
    words[USED]!++;
    const free = words[FREE]!;
    if (free === 0) return ++words[TOUCHED]!;
    words[FREE] = words[this.wordOf(free) + NEXT]!;
    return free;
  }

  private giveCell(cell: number): void {
    const { words } = this;
    words[USED]!--;
    words[this.wordOf(cell) + NEXT] = words[FREE]!;
    words[FREE] = cell;
  }

  private enqueue(record: number, at: number): void {
    const { words } = this;
    const newest = words[NEWEST]!;
    words[at + NEWER] = 0;
    words[at + OLDER] = newest;
    if (newest === 0) words[OLDEST] = record;
    else words[this.wordOf(newest) + NEWER] = record;
    words[NEWEST] = record;
  }

  private dequeue(at: number): void {
    const { words } = this;
    const newer = words[at + NEWER]!;
    const older = words[at + OLDER]!;
    if (newer === 0) words[NEWEST] = older;
    else words[this.wordOf(newer) + OLDER] = older;
    if (older === 0) words[OLDEST] = newer;
    else words[this.wordOf(older) + NEWER] = newer;
  }

  private writeKey(at: number, key: string): void {
    const { words, bytes } = this;
    let done = 0;
    let byte = at * 4 + this.keyOffset;
    let limit = this.inlineBytes;
    let link = at + KEY_REST;
    for (;;) {
      while (done < key.length && done < limit) bytes[byte++] = key.charCodeAt(done++);
      if (done === key.length) break;
      const rest = this.takeCell();
      words[link] = rest;
      link = this.wordOf(rest) + NEXT;
      byte = (link + 1) * 4;
      limit += REST_BYTES;
    }
    words[link] = 0;
  }

  private hasKey(at: number, key: string): boolean {
    const { words, bytes } = this;
    let done = 0;
    let byte = at * 4 + this.keyOffset;
    let limit = this.inlineBytes;
    let link = at + KEY_REST;
    for (;;) {
      while (done < key.length && done < limit) if (bytes[byte++] !== key.charCodeAt(done++)) return false;
      if (done === key.length) return true;
      link = this.wordOf(words[link]!) + NEXT;
      byte = (link + 1) * 4;
      limit += REST_BYTES;
    }
  }
}
