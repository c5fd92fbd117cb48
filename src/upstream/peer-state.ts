/*
 * What changes about a peer, laid out as numbers in a piece of memory, so that workers can share it: a peer that one
 * of them finds dead is dead for all. Where the memory comes from is the group's business, meaning is peer.ts's.
 */

/** Whole numbers, 32 bits each: what workers count together. */
export const PeerInt = {
  fails: 0,
  activeRequests: 1,
  flags: 2,
  weight: 3,
  maxConns: 4,
  inflightRequests: 5,
  requests: 6,
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
} as const;
const FLOAT_COUNT = 10;

/** Bytes of one record. */
const PEER_STATE_BYTES = INT_COUNT * 4 + FLOAT_COUNT * 8;

/** The record of one peer. */
export class PeerState {
  readonly ints: Int32Array;
  readonly floats: Float64Array;

  /** The record at `index` of `memory`. */
  constructor(memory: ArrayBufferLike, index: number) {
    const start = index * PEER_STATE_BYTES;
    this.floats = new Float64Array(memory, start, FLOAT_COUNT);
    this.ints = new Int32Array(memory, start + FLOAT_COUNT * 8, INT_COUNT);
  }
}

/** Memory for the records of `count` peers, zeroed. */
export function makePeerMemory(count: number): SharedArrayBuffer {
  return new SharedArrayBuffer(count * PEER_STATE_BYTES);
}
