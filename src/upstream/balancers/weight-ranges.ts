/*
 * Peers by their weights in a row: whose share a number falls into.
 */
import type { Peer } from '../peer.js';

export class WeightRanges {
  /** Of all weights. */
  readonly total: number;
  /** Where each peer's share begins. */
  readonly #starts: Float64Array;

  constructor(peers: readonly Peer[]) {
    this.#starts = new Float64Array(peers.length);
    let total = 0;
    for (const [i, peer] of peers.entries()) {
      this.#starts[i] = total;
      total += peer.weight;
    }
    this.total = total;
  }

  /** The number of the peer in whose share `value` is, from 0 to less than `total`. */
  find(value: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (value < this.#starts[middle]!) high = middle;
      else low = middle;
    }
    return low;
  }
}
