/*
 * Hash of a key over the peers by their weights: the same key has the same peer as long as the peers stay the same.
 * Compatible with nginx, and so with Cache::Memcached.
 */
import { crc32 } from '../../core/crc32.js';
import type { Peer } from '../peer.js';
import { type Balancer, canPick, type PickContext } from './balancer.js';
import { createRoundRobin } from './round-robin.js';
import { WeightRanges } from './weight-ranges.js';

/** The key of who asks, as bytes in latin1; '' has no peer of its own. */
export type KeyFunction = (subject: unknown) => string;

/** So many hashes are tried before it is anybody's turn. */
const MAX_HASHES = 20;

/** O(log peers). Without a key, or when its peers can't be used, by round robin. */
export class HashBalancer implements Balancer {
  readonly #peers: readonly Peer[];
  readonly #key: KeyFunction;
  readonly #ranges: WeightRanges;
  readonly #others: Balancer;

  constructor(peers: readonly Peer[], key: KeyFunction) {
    this.#peers = peers;
    this.#key = key;
    this.#ranges = new WeightRanges(peers);
    this.#others = createRoundRobin(peers);
  }

  pick(context: PickContext): Peer | null {
    if (this.#peers.length < 2) return this.#others.pick(context);
    const key = this.#key(context.subject);
    if (key === '') return this.#others.pick(context);
    let hash = 0;
    for (let round = 0; round <= MAX_HASHES; round++) {
      hash += (crc32(round === 0 ? key : `${round}${key}`) >>> 16) & 0x7fff;
      const peer = this.#peers[this.#ranges.find(hash % this.#ranges.total)]!;
      if (canPick(peer, context)) return peer;
    }
    return this.#others.pick(context);
  }
}
