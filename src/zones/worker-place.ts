/*
 * Which of the threads that serve one configuration this is for. State that they share is laid out by it.
 */

/** How many workers there can be, so that memory with a part for each can be laid out before they are counted. */
export const MAX_WORKERS = 64;

/** A worker among others. */
export interface WorkerPlace {
  /** From 0; -1 for the thread that only watches over the workers and serves nobody. */
  readonly index: number;
  /** At most MAX_WORKERS. */
  readonly count: number;
}

/** One thread does all. */
export const ONLY_WORKER: WorkerPlace = { index: 0, count: 1 };
