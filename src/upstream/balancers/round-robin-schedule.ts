/*
 * Weighted round robin for groups of many peers: the turns of one round are laid out once, a pick takes the next.
 */
import type { Peer } from '../peer.js';
import { type Balancer, canPick, type PickContext } from './balancer.js';

/** The most turns a round may have; greater weights are scaled down. */
const MAX_TURNS = 1 << 20;

/**
 * A round has a turn for each unit of weight, those of a peer spread evenly; with equal weights the peers come one
 * after the other. A peer that can't be used loses its turn to the next one that can. One whose weight is lowered
 * for now, by failures or slow_start, uses only that part of its turns. O(1) but for the turns passed over.
 * differs from nginx: the order of unequal weights; its own takes a look at every peer for each pick.
 */
export class ScheduledRoundRobin implements Balancer {
  readonly #peers: readonly Peer[];
  /** Numbers of peers. */
  readonly #turns: Int32Array;
  #next: number;

  constructor(peers: readonly Peer[]) {
    this.#peers = peers;
    this.#turns = layTurns(peers);
    this.#next = 0;
  }

  pick(context: PickContext): Peer | null {
    const turns = this.#turns;
    let fallback: Peer | null = null;
    for (let passed = 0; passed < turns.length; passed++) {
      const peer = this.#peers[turns[this.#next]!]!;
      this.#next = this.#next + 1 === turns.length ? 0 : this.#next + 1;
      if (!canPick(peer, context)) continue;
      if (this.#takesTurn(peer, context.nowMs)) return peer;
      fallback ??= peer;
    }
    return fallback;
  }

  /** Whether it is to use this turn; currentWeight adds up the parts of turns that it has. */
  #takesTurn(peer: Peer, nowMs: number): boolean {
    const part = (peer.effectiveWeight / peer.weight) * peer.ramp(nowMs);
    if (peer.effectiveWeight < peer.weight) peer.effectiveWeight++;
    if (part >= 1) return true;
    peer.currentWeight += part;
    if (peer.currentWeight < 1) return false;
    peer.currentWeight -= 1;
    return true;
  }
}

/** The turns of one round: the k-th of a peer of weight w stands at (k + 1/2) / w of it. */
function layTurns(peers: readonly Peer[]): Int32Array {
  const weights = scaleWeights(peers.map((peer) => peer.weight));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const places = new Float64Array(total);
  const owners = new Int32Array(total);
  let count = 0;
  for (const [index, weight] of weights.entries()) {
    for (let k = 0; k < weight; k++) {
      places[count] = (k + 0.5) / weight;
      owners[count++] = index;
    }
  }
  const order = new Int32Array(total);
  for (let i = 0; i < total; i++) order[i] = i;
  order.sort((a, b) => places[a]! - places[b]! || a - b);
  return order.map((turn) => owners[turn]!);
}

function scaleWeights(weights: readonly number[]): number[] {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0) / divisor;
  const scale = total > MAX_TURNS ? total / MAX_TURNS : 1;
  return weights.map((weight) => Math.max(1, Math.round(weight / divisor / scale)));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
