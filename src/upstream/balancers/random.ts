/*
 * Random by weight; with `two`, the better one of two that are drawn.
 */
import type { Peer } from '../peer.js';
import { type Balancer, canPick, type PickContext } from './balancer.js';
import { createRoundRobin } from './round-robin.js';
import { WeightRanges } from './weight-ranges.js';

/** What is less is better; compared for each unit of weight. */
export type PeerCost = (peer: Peer) => number;

/** So many draws may miss before it is anybody's turn. */
const MAX_DRAWS = 20;

/** O(log peers). */
export class RandomBalancer implements Balancer {
  readonly #peers: readonly Peer[];
  readonly #cost: PeerCost | null;
  readonly #random: () => number;
  readonly #ranges: WeightRanges;
  readonly #others: Balancer;

  /** `cost` compares two that are drawn; null draws one. `random` is as Math.random. */
  constructor(peers: readonly Peer[], cost: PeerCost | null, random = Math.random) {
    this.#peers = peers;
    this.#cost = cost;
    this.#random = random;
    this.#ranges = new WeightRanges(peers);
    this.#others = createRoundRobin(peers);
  }

  pick(context: PickContext): Peer | null {
    if (this.#peers.length < 2) return this.#others.pick(context);
    let first: Peer | null = null;
    for (let draws = 0; draws <= MAX_DRAWS; draws++) {
      const peer = this.#peers[this.#ranges.find(Math.floor(this.#random() * this.#ranges.total))]!;
      if (peer === first || !canPick(peer, context)) continue;
      if (this.#cost === null) return peer;
      if (first !== null) {
        return this.#cost(peer) * first.weight > this.#cost(first) * peer.weight ? first : peer;
      }
      first = peer;
    }
    return this.#others.pick(context);
  }
}
