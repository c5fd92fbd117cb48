/*
 * What is known of the keys of a cache, in the memory of its keys_zone, which all workers have in common: whether there is
 * a file and of what size, how often a key was used and when, and who fetches it. Each method is one step that no other
 * thread comes between. Keys are the names of their files; files themselves are file-cache.ts's.
 */
import { OWNERS_WORDS, RecordTable } from '../zones/record-table.js';
import { isDead, THREAD_MARK } from '../zones/zone-lock.js';

/** Of all keys: bytes of their files together; whether what an earlier run left is known; the last update's number. */
const TOTAL_BYTES = OWNERS_WORDS >> 1;
const IS_LOADED = OWNERS_WORDS + 2;
const LAST_UPDATE = OWNERS_WORDS + 3;

/** Of one key, eight bytes each: bytes of its file, -1 for none; when it was used; until when nobody else may fetch it. */
const SIZE = 0;
const USED_MS = 1;
const UPDATE_DUE_MS = 2;
/** Four bytes each: how often it was used, above the status of an error; and the Unix second until which that one holds. */
const USES_AND_STATUS = 6;
const ERROR_UNTIL = 7;
/** The number of the update under way, 0 for none: those who wait for its end wait at this word; and whose it is. */
const UPDATE = 8;
const UPDATER = 9;
const VALUE_WORDS = 10;

const STATUS_BITS = 10;
const ONE_USE = 2 ** STATUS_BITS;
const STATUS_MASK = ONE_USE - 1;
const MOST_USES = 2 ** (31 - STATUS_BITS) - 1;
const LAST_SECOND = 2 ** 32 - 1;
const LAST_NUMBER = 2 ** 31 - 1;

/** How many keys that are in use it passes by in search of one that can go. */
const TRIES = 100;

/** A key as one request has found it, and what it has begun with it. */
export class CacheNode {
  readonly hash: string;
  /** Of its file; -1: there is none. */
  size: number;
  uses: number;
  /** What it was answered in place of an answer; 0 for nothing, and until when that holds, in Unix seconds. */
  errorStatus: number;
  errorUntil: number;
  /** The update under way, by whomever; 0 for none, and when another may begin. */
  update: number;
  updateDueMs: number;
  /** The update that this request has begun; 0 for none. */
  ownUpdate: number;

  constructor(hash: string) {
    this.hash = hash;
    this.size = -1;
    this.uses = 0;
    this.errorStatus = 0;
    this.errorUntil = 0;
    this.update = 0;
    this.updateDueMs = 0;
    this.ownUpdate = 0;
  }

  /** Somebody fetches it. */
  get isUpdating(): boolean {
    return this.update !== 0;
  }
}

/** Times are milliseconds that all threads agree on. */
export class CacheIndex {
  private readonly table: RecordTable;
  private readonly onDrop: (hash: string) => void;
  /** Those with files, to be told of once the lock is free. */
  private readonly dropped: string[];

  /** @param onDrop called, without the lock, for each key with a file that is known no more */
  constructor(memory: SharedArrayBuffer, onDrop: (hash: string) => void) {
    this.table = new RecordTable(memory, VALUE_WORDS);
    this.onDrop = onDrop;
    this.dropped = [];
  }

  /** Bytes of all files. */
  get totalBytes(): number {
    return this.table.floats[TOTAL_BYTES]!;
  }

  /** How many keys are known. */
  get size(): number {
    return this.table.size;
  }

  /** For how many there is room. */
  get capacity(): number {
    return this.table.capacity >> 1;
  }

  /** Whether what an earlier run left is known. False again if all that was known is lost. */
  get isLoaded(): boolean {
    return this.table.words[IS_LOADED] === 1;
  }

  noteLoaded(): void {
    this.table.words[IS_LOADED] = 1;
  }

  /**
   * The node of a key, as used now. Where there is no room, since all is being fetched, it is known to nobody.
   * @param isAgain by a request that has used it before, which is counted once
   */
  use(hash: string, nowMs: number, isAgain: boolean): CacheNode {
    const { table } = this;
    table.lock.acquire();
    const record = this.findOrAdd(hash, nowMs);
    const node = new CacheNode(hash);
    if (record !== 0) {
      const at = table.valuesOf(record);
      const counts = table.words[at + USES_AND_STATUS]!;
      if (!isAgain && counts >> STATUS_BITS < MOST_USES) table.words[at + USES_AND_STATUS] = counts + ONE_USE;
      this.read(node, at);
    }
    this.release();
    return node;
  }

  /** Its file was found to be of that size, or missing (-1). */
  noteSize(node: CacheNode, size: number): void {
    if (node.size === size) return;
    node.size = size;
    const { table } = this;
    table.lock.acquire();
    const record = table.find(node.hash);
    if (record !== 0) this.setSize(record, size);
    this.release();
  }

  /** A file of that size has been put in its place. */
  noteStored(hash: string, size: number, nowMs: number): void {
    const { table } = this;
    table.lock.acquire();
    const record = this.findOrAdd(hash, nowMs);
    if (record === 0) this.dropped.push(hash);
    else {
      this.setSize(record, size);
      table.words[table.valuesOf(record) + USES_AND_STATUS]! &= ~STATUS_MASK;
    }
    this.release();
  }

  /** A file has been found that is left of an earlier run. */
  noteFound(hash: string, size: number, nowMs: number): void {
    const { table } = this;
    table.lock.acquire();
    if (table.find(hash) === 0) {
      const record = this.findOrAdd(hash, nowMs);
      if (record !== 0) this.setSize(record, size);
    }
    this.release();
  }

  /** What it was answered in place of an answer. */
  noteError(node: CacheNode, status: number, until: number): void {
    const { table } = this;
    table.lock.acquire();
    const record = table.find(node.hash);
    if (record !== 0) {
      const at = table.valuesOf(record);
      const counts = table.words[at + USES_AND_STATUS]!;
      table.words[at + USES_AND_STATUS] = (counts & ~STATUS_MASK) | status;
      table.words[at + ERROR_UNTIL] = Math.min(until, LAST_SECOND);
    }
    this.release();
  }

  /**
   * Has it fetched by this request, unless another does that already. Then that one may take `ageMs`, before another may
   * begin too.
   */
  beginUpdate(node: CacheNode, nowMs: number, ageMs: number): boolean {
    const { table } = this;
    const { words, floats } = table;
    table.lock.acquire();
    const record = this.findOrAdd(node.hash, nowMs);
    const at = table.valuesOf(record);
    if (record !== 0) this.read(node, at);
    const isFree = node.update === 0 || node.updateDueMs <= nowMs;
    if (record !== 0 && isFree) {
      node.ownUpdate = (words[LAST_UPDATE]! % LAST_NUMBER) + 1;
      words[LAST_UPDATE] = node.ownUpdate;
      words[at + UPDATE] = node.ownUpdate;
      words[at + UPDATER] = THREAD_MARK;
      floats[(at >> 1) + UPDATE_DUE_MS] = nowMs + ageMs;
    }
    this.release();
    return record === 0 || isFree;
  }

  /** Calls back when the update is over that the node has seen. False: it is over already. */
  waitForUpdate(node: CacheNode, onEnd: () => void): boolean {
    const { table } = this;
    table.lock.acquire();
    const record = table.find(node.hash);
    const wait =
      record === 0 ? null : Atomics.waitAsync(table.words, table.valuesOf(record) + UPDATE, node.update);
    this.release();
    if (wait?.async !== true) return false;
    void wait.value.then(onEnd);
    return true;
  }

  /**
   * A request has done with it: if it was to fetch it, those who wait for that go on.
   * @param isToForget whether nothing is to be known of it that was not stored
   */
  leave(node: CacheNode, isToForget: boolean): void {
    if (node.ownUpdate === 0 && (!isToForget || node.size >= 0)) return;
    const { table } = this;
    table.lock.acquire();
    const record = table.find(node.hash);
    if (record !== 0) {
      const at = table.valuesOf(record);
      if (node.ownUpdate !== 0 && table.words[at + UPDATE] === node.ownUpdate) this.endUpdate(at);
      const isIdle = table.words[at + UPDATE] === 0;
      const hasError = (table.words[at + USES_AND_STATUS]! & STATUS_MASK) !== 0;
      if (isToForget && isIdle && !hasError && this.sizeOf(record) < 0) table.remove(record);
    }
    node.ownUpdate = 0;
    this.release();
  }

  /** Threads have died: what they were fetching may be fetched by others. */
  forgetDead(): void {
    const { table } = this;
    table.lock.acquire();
    for (let record = table.oldest; record !== 0; record = table.newerThan(record)) {
      const at = table.valuesOf(record);
      if (table.words[at + UPDATE] !== 0 && isDead(table.words[at + UPDATER]!)) this.endUpdate(at);
    }
    this.release();
  }

  /** Forgets all keys, and that what is in the folder was known. */
  clear(): void {
    this.table.lock.acquire();
    this.table.clear();
    this.table.lock.release();
  }

  /** Drops the key that was used longest ago, if that is `unusedMs` ago. Whether there was one. */
  dropOldest(nowMs: number, unusedMs: number): boolean {
    this.table.lock.acquire();
    const isDropped = this.dropLocked(nowMs, unusedMs);
    this.release();
    return isDropped;
  }

  /** Those that are being fetched are in use. */
  private dropLocked(nowMs: number, unusedMs: number): boolean {
    const { table } = this;
    for (let tries = Math.min(TRIES, table.size); tries > 0; tries--) {
      const record = table.oldest;
      const at = table.valuesOf(record);
      if (nowMs - table.floats[(at >> 1) + USED_MS]! < unusedMs) return false;
      if (table.words[at + UPDATE] === 0) {
        if (this.sizeOf(record) >= 0) this.dropped.push(table.keyOf(record));
        this.setSize(record, -1);
        table.remove(record);
        return true;
      }
      this.noteUsed(record, nowMs);
    }
    return false;
  }

  /** The newest from now on; 0 if there is no room for it. */
  private findOrAdd(hash: string, nowMs: number): number {
    const { table } = this;
    let record = table.find(hash);
    if (record === 0) {
      while (!table.hasRoomFor(hash)) if (!this.dropLocked(nowMs, 0)) return 0;
      record = table.add(hash);
      table.floats[(table.valuesOf(record) >> 1) + SIZE] = -1;
    }
    this.noteUsed(record, nowMs);
    return record;
  }

  private noteUsed(record: number, nowMs: number): void {
    this.table.touch(record);
    this.table.floats[(this.table.valuesOf(record) >> 1) + USED_MS] = nowMs;
  }

  private read(node: CacheNode, at: number): void {
    const { words, floats } = this.table;
    node.size = floats[(at >> 1) + SIZE]!;
    node.uses = words[at + USES_AND_STATUS]! >> STATUS_BITS;
    node.errorStatus = words[at + USES_AND_STATUS]! & STATUS_MASK;
    node.errorUntil = words[at + ERROR_UNTIL]! >>> 0;
    node.update = words[at + UPDATE]!;
    node.updateDueMs = floats[(at >> 1) + UPDATE_DUE_MS]!;
  }

  private sizeOf(record: number): number {
    return this.table.floats[(this.table.valuesOf(record) >> 1) + SIZE]!;
  }

  private setSize(record: number, size: number): void {
    const { table } = this;
    table.floats[TOTAL_BYTES]! += Math.max(0, size) - Math.max(0, this.sizeOf(record));
    table.floats[(table.valuesOf(record) >> 1) + SIZE] = size;
  }

  private endUpdate(at: number): void {
    const { words } = this.table;
    Atomics.store(words, at + UPDATE, 0);
    Atomics.notify(words, at + UPDATE);
  }

  private release(): void {
    this.table.lock.release();
    while (this.dropped.length > 0) this.onDrop(this.dropped.pop()!);
  }
}
