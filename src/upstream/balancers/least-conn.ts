/*
 * Least connections: the peer with the fewest requests under way for its weight.
 */
import type { Peer } from '../peer.js';
import { type Balancer, canPick, type PickContext } from './balancer.js';

/** Of equals the one whose turn it is, by round robin among them. O(peers), no allocation. */
export class LeastConnBalancer implements Balancer {
  readonly #peers: readonly Peer[];

  constructor(peers: readonly Peer[]) {
    this.#peers = peers;
  }

  pick(context: PickContext): Peer | null {
    const { nowMs } = context;
    let best: Peer | null = null;
    let bestConns = 0;
    let bestWeight = 0;
    let hasEquals = false;
    for (const peer of this.#peers) {
      if (!canPick(peer, context)) continue;
      const weight = peer.weight * peer.ramp(nowMs);
      const conns = peer.activeRequests;
      const difference = best === null ? -1 : conns * bestWeight - bestConns * weight;
      if (difference < 0) {
        best = peer;
        bestConns = conns;
        bestWeight = weight;
        hasEquals = false;
      } else if (difference === 0) hasEquals = true;
    }
    return hasEquals ? this.#takeTurns(context, bestConns, bestWeight) : best;
  }

  /** Among those that are as good as the best one. */
  #takeTurns(context: PickContext, bestConns: number, bestWeight: number): Peer | null {
    const { nowMs } = context;
    let best: Peer | null = null;
    let total = 0;
    for (const peer of this.#peers) {
      if (!canPick(peer, context)) continue;
      if (peer.activeRequests * bestWeight !== bestConns * peer.weight * peer.ramp(nowMs)) continue;
      const gain = peer.effectiveWeight * peer.ramp(nowMs);
      peer.currentWeight += gain;
      total += gain;
      if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++;
      if (best === null || peer.currentWeight > best.currentWeight) best = peer;
    }
    if (best !== null) best.currentWeight -= total;
    return best;
  }
}
