/*
 * How many requests wait for a peer of one group, in memory that all workers share, each with a row of its own. A worker
 * with a peer to spare and nobody who waits for it wakes another one.
 */
import { ONLY_WORKER, type WorkerPlace } from '../zones/worker-place.js';
import { ZoneLock } from '../zones/zone-lock.js';

/** Words of the header; those who wait for a peer to spare wait at the bell. */
const LOCK = 0;
const BELL = 1;
const HEADER_WORDS = 4;

/** Words of a row. */
const WAITING = 0;
const OVERFLOWS = 1;
const ROW_WORDS = 2;

/** No wait at the bell outlives its configuration for longer. */
const LISTEN_MS = 1000;

/** Bytes for the workers of a configuration. */
export function waitingPlacesBytes({ count }: WorkerPlace): number {
  return (HEADER_WORDS + count * ROW_WORDS) * 4;
}

export class WaitingPlaces {
  private readonly words: Int32Array;
  private readonly lock: ZoneLock;
  private readonly row: number;
  /** Whether there are other workers. */
  readonly isShared: boolean;

  /** @param memory of `waitingPlacesBytes`, zeroed */
  constructor(
    memory: SharedArrayBuffer = new SharedArrayBuffer(waitingPlacesBytes(ONLY_WORKER)),
    worker: WorkerPlace = ONLY_WORKER,
  ) {
    this.words = new Int32Array(memory);
    this.lock = new ZoneLock(this.words, LOCK, () => {});
    this.row = HEADER_WORDS + Math.max(0, worker.index) * ROW_WORDS;
    this.isShared = worker.count > 1;
  }

  /** How many wait, in all workers. */
  get waiting(): number {
    return this.sum(WAITING);
  }

  /** How many found no place. */
  get overflows(): number {
    return this.sum(OVERFLOWS);
  }

  clearOverflows(): void {
    for (let at = HEADER_WORDS + OVERFLOWS; at < this.words.length; at += ROW_WORDS) this.words[at] = 0;
  }

  /** One more waits here. False, and counted, if as many as `limit` do already. */
  take(limit: number): boolean {
    this.lock.acquire();
    const hasRoom = this.waiting < limit;
    this.words[this.row + (hasRoom ? WAITING : OVERFLOWS)]!++;
    this.lock.release();
    return hasRoom;
  }

  giveBack(): void {
    this.words[this.row + WAITING]!--;
  }

  /** A worker has died, and who waited there is gone. */
  forgetWorker(index: number): void {
    this.lock.acquire();
    this.words[HEADER_WORDS + index * ROW_WORDS + WAITING] = 0;
    this.lock.release();
  }

  /** There may be a peer that nobody waits for here: wakes the worker that has listened for longest, if any waits. */
  ring(): void {
    if (!this.isShared || this.waiting === 0) return;
    Atomics.add(this.words, BELL, 1);
    Atomics.notify(this.words, BELL, 1);
  }

  /** Calls back once, when another worker rings or after a while. */
  listen(onRing: () => void): void {
    const wait = Atomics.waitAsync(this.words, BELL, Atomics.load(this.words, BELL), LISTEN_MS);
    if (wait.async) void wait.value.then(onRing);
    else setImmediate(onRing);
  }

  private sum(column: number): number {
    let sum = 0;
    for (let at = HEADER_WORDS + column; at < this.words.length; at += ROW_WORDS) sum += this.words[at]!;
    return sum;
  }
}
