/*
 * Hash of the client's address: of IPv4 its first three octets, of IPv6 all. Compatible with nginx.
 */
import { parseIpAddress } from '../../core/ip-address.js';
import type { Peer } from '../peer.js';
import { type Balancer, canPick, type PickContext } from './balancer.js';
import type { KeyFunction } from './hash.js';
import { createRoundRobin } from './round-robin.js';
import { WeightRanges } from './weight-ranges.js';

const MAX_HASHES = 20;
const FIRST_HASH = 89;

/** Stands for clients of unix sockets. */
const NO_ADDRESS = new Uint8Array(3);

/** O(log peers). When the client's peers can't be used, by round robin. */
export class IpHashBalancer implements Balancer {
  readonly #peers: readonly Peer[];
  readonly #address: KeyFunction;
  readonly #ranges: WeightRanges;
  readonly #others: Balancer;

  /** `address` gives the client's as text. */
  constructor(peers: readonly Peer[], address: KeyFunction) {
    this.#peers = peers;
    this.#address = address;
    this.#ranges = new WeightRanges(peers);
    this.#others = createRoundRobin(peers);
  }

  pick(context: PickContext): Peer | null {
    if (this.#peers.length < 2) return this.#others.pick(context);
    const bytes = parseIpAddress(this.#address(context.subject)) ?? NO_ADDRESS;
    const length = bytes.length === 4 ? 3 : bytes.length;
    let hash = FIRST_HASH;
    for (let round = 0; round <= MAX_HASHES; round++) {
      for (let i = 0; i < length; i++) hash = (hash * 113 + bytes[i]!) % 6271;
      const peer = this.#peers[this.#ranges.find(hash % this.#ranges.total)]!;
      if (canPick(peer, context)) return peer;
    }
    return this.#others.pick(context);
  }
}
