/*
 * Smooth weighted round robin, nginx's default: 5/1/1 gives a a b a c a a rather than a a a a a b c.
 */

import type { Peer } from '../peer.js';
import type { Balancer, PickContext } from './balancer.js';

/**
 * At each pick every peer that can be used gains its effective weight, the one with the most is
 * taken, the first of equals, and pays the sum of what all gained. An effective weight that failures
 * lowered comes back by one a pick. O(peers), no allocation.
 */
export class RoundRobinBalancer implements Balancer {
  readonly #peers: readonly Peer[];

  constructor(peers: readonly Peer[]) {
    this.#peers = peers;
  }

  pick(context: PickContext): Peer | null {
    const { tried, nowMs } = context;
    let best: Peer | null = null;
    let total = 0;
    for (const peer of this.#peers) {
      if (!peer.isUsable(nowMs) || (tried.length > 0 && tried.includes(peer))) continue;
      peer.currentWeight += peer.effectiveWeight;
      total += peer.effectiveWeight;
      if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++;
      if (best === null || peer.currentWeight > best.currentWeight) best = peer;
    }
    if (best !== null) best.currentWeight -= total;
    return best;
  }
}
