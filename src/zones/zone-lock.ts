/*
 * The lock of a zone: one word of its memory, with the number of the thread that holds it. What it guards takes
 * microseconds, so who finds it taken just tries again. A thread that was ended while it held the lock stops nobody
 * for long: another one takes the lock over and has what was left half done repaired.
 */
import { threadId } from 'node:worker_threads';

const FREE = 0;

/** What stands in shared memory for this thread. Never 0. */
export const THREAD_MARK: number = threadId + 1;

/** How often a taken lock is tried before sleeping in between. */
const SPINS = 1000;
/**
 * After so many sleeps of a millisecond with the same holder nobody is alive behind it. They are counted and not
 * timed, since a process that was stopped as a whole wakes up as a whole.
 */
const SLEEPS = 2000;

/** How many threads that died can be known. */
const MAX_DEAD = 63;

/** What a list of dead threads needs: their number, and who they were. */
export const DEAD_THREADS_BYTES: number = 4 * (1 + MAX_DEAD);

let deadThreads: Int32Array<ArrayBufferLike> = new Int32Array(1 + MAX_DEAD);

/** From now on the dead are looked for there: memory that all threads share, full of zeros at first. */
export function shareDeadThreads(memory: SharedArrayBuffer): void {
  deadThreads = new Int32Array(memory);
}

/** A thread is no more: what it holds is free at once, instead of after a while. */
export function noteDeadThread(id: number): void {
  const count = Atomics.add(deadThreads, 0, 1);
  Atomics.store(deadThreads, 1 + (count % MAX_DEAD), id + 1);
}

/** Whether the thread of that mark is no more. */
export function isDead(mark: number): boolean {
  for (let i = 1; i <= MAX_DEAD; i++) if (Atomics.load(deadThreads, i) === mark) return true;
  return false;
}

/** Guards what is in the same memory. Not reentrant. */
export class ZoneLock {
  private readonly words: Int32Array;
  private readonly index: number;
  private readonly repair: () => void;

  /** @param repair called with the lock held when its holder died, or failed, in the middle of a change */
  constructor(words: Int32Array, index: number, repair: () => void) {
    this.words = words;
    this.index = index;
    this.repair = repair;
  }

  acquire(): void {
    if (Atomics.compareExchange(this.words, this.index, FREE, THREAD_MARK) !== FREE) this.waitForIt();
  }

  release(): void {
    // Not a plain store: the lock may have been taken over.
    Atomics.compareExchange(this.words, this.index, THREAD_MARK, FREE);
  }

  private waitForIt(): void {
    const { words, index } = this;
    for (let tries = 0, sleeps = 0, last = FREE; ; tries++) {
      const holder = Atomics.compareExchange(words, index, FREE, THREAD_MARK);
      if (holder === FREE) return;
      if (holder !== last) sleeps = 0;
      last = holder;
      const isLost = holder === THREAD_MARK || sleeps > SLEEPS || (sleeps > 0 && isDead(holder));
      if (isLost && Atomics.compareExchange(words, index, holder, THREAD_MARK) === holder) {
        this.repair();
        return;
      }
      if (tries < SPINS) continue;
      Atomics.wait(words, index, holder, 1);
      sleeps++;
    }
  }
}
