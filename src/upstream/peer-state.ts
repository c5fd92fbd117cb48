/*
 * What changes about a peer, laid out as numbers in a piece of memory, so that workers can share it: a peer that one
 * of them finds dead is dead for all. Where the memory comes from is the group's business, meaning is peer.ts's.
 */

import type { WorkerPlace } from '../zones/worker-place.js';

/** Whole numbers, 32 bits each: what workers count together. */
export const PeerInt = {
  fails: 0,
  activeRequests: 1,
  flags: 2,
  weight: 3,
  maxConns: 4,
  inflightRequests: 5,
  /** One more than the number in the group; 0 before it has one. */
  number: 6,
} as const;
const INT_COUNT = 8;

/** Times, weights and averages, 64 bits each. */
export const PeerFloat = {
  currentWeight: 0,
  effectiveWeight: 1,
  accessedAtMs: 2,
  checkedAtMs: 3,
  rampFromMs: 4,
  headerTimeMs: 5,
  responseTimeMs: 6,
  inflightTimeMs: 7,
  inflightSumMs: 8,
  inflightChangedAtMs: 9,
  requests: 10,
} as const;
const FLOAT_COUNT = 11;

/** Bytes of one record, without the part that counts by worker. */
export const PEER_STATE_BYTES: number = INT_COUNT * 4 + FLOAT_COUNT * 8;

/** The record of one peer. */
export class PeerState {
  readonly ints: Int32Array;
  readonly floats: Float64Array;
  /** Of the active requests, those of each worker; null for a record that is one thread's own. */
  private readonly activeBy: Int32Array | null;
  private readonly index: number;

  /**
   * The record at byte `start`.
   * @param worker with whom it is shared; then PEER_STATE_BYTES and four bytes a worker are its memory
   */
  constructor(memory: ArrayBufferLike, start: number, worker: WorkerPlace | null = null) {
    const intsAt = start + FLOAT_COUNT * 8;
    this.floats = new Float64Array(memory, start, FLOAT_COUNT);
    this.ints = new Int32Array(memory, intsAt, INT_COUNT);
    this.activeBy = worker === null ? null : new Int32Array(memory, intsAt + INT_COUNT * 4, worker.count);
    this.index = worker?.index ?? 0;
  }

  /** As new. */
  clear(): void {
    this.floats.fill(0);
    this.ints.fill(0);
    this.activeBy?.fill(0);
  }

  /** So many more active requests, or fewer. */
  countActive(change: number): void {
    this.ints[PeerInt.activeRequests]! += change;
    if (this.activeBy !== null) this.activeBy[this.index]! += change;
  }

  /** A worker has died, and its requests with it. */
  forgetWorker(index: number): void {
    if (this.activeBy === null) return;
    this.ints[PeerInt.activeRequests]! -= this.activeBy[index]!;
    this.activeBy[index] = 0;
  }
}

/** A record of one thread's own, zeroed. */
export function makePeerState(): PeerState {
  return new PeerState(new ArrayBuffer(PEER_STATE_BYTES), 0);
}
