/*
 * Smooth weighted round robin, nginx's default: 5/1/1 gives a a b a c a a rather than a a a a a b c.
 */
import type { Peer } from '../peer.js';
import { type Balancer, canPick, type PickContext } from './balancer.js';
import { ScheduledRoundRobin } from './round-robin-schedule.js';

/** From so many peers on, looking at each for every pick costs more than a schedule's small unevenness. */
const MANY_PEERS = 64;

/** The round robin for so many peers. */
export function createRoundRobin(peers: readonly Peer[]): Balancer {
  return peers.length < MANY_PEERS ? new RoundRobinBalancer(peers) : new ScheduledRoundRobin(peers);
}

/**
 * At each pick every peer that can be used gains its effective weight, the one with the most is
 * taken, the first of equals, and pays the sum of what all gained. An effective weight that failures
 * lowered comes back by one a pick. O(peers), no allocation.
 */
export class RoundRobinBalancer implements Balancer {
  readonly #peers: readonly Peer[];
  #totalWeight: number;

  constructor(peers: readonly Peer[]) {
    this.#peers = peers;
    this.#totalWeight = 0;
    for (const peer of peers) this.#totalWeight += peer.weight;
  }

  pick(context: PickContext): Peer | null {
    return this.#turn(context, null);
  }

  /**
   * It pays as if it had been its turn, until it has had so much beyond its share that it would never pay off:
   * then it is for free, and the others' turns are none of its business.
   */
  charge(peer: Peer, context: PickContext): void {
    if (peer.currentWeight > peer.weight - this.#totalWeight) this.#turn(context, peer);
  }

  #turn(context: PickContext, chosen: Peer | null): Peer | null {
    let best: Peer | null = null;
    let total = 0;
    for (const peer of this.#peers) {
      if (!canPick(peer, context)) continue;
      const gain = peer.effectiveWeight * peer.ramp(context.nowMs);
      peer.currentWeight += gain;
      total += gain;
      if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++;
      if (best === null || peer.currentWeight > best.currentWeight) best = peer;
    }
    if (chosen !== null) best = chosen;
    if (best !== null) best.currentWeight -= total;
    return best;
  }
}
