/*
 * Consistent hash: each server has points on a ring, a key belongs to the next point on it, so that a server that
 * comes or goes moves few keys. The points are nginx's, and so Cache::Memcached::Fast's (ketama).
 */
import { crc32, crc32Bytes } from '../../core/crc32.js';
import type { Peer } from '../peer.js';
import type { Balancer, PickContext } from './balancer.js';
import type { KeyFunction } from './hash.js';
import { createRoundRobin, RoundRobinBalancer } from './round-robin.js';

/** Points of a server of weight 1. */
const POINTS = 160;

/** So many points are passed before it is anybody's turn. */
const MAX_POINTS = 20;

/** Room for the number of a server below its hash in one number. */
const SERVER_RANGE = 1 << 20;

/** O(log points). Addresses of one server take turns. Without a key, or when none can be used, by round robin. */
export class ConsistentHashBalancer implements Balancer {
  readonly #key: KeyFunction;
  /** By their number: the peers that the configuration calls by one name. */
  readonly #servers: readonly Balancer[];
  readonly #hashes: Uint32Array;
  /** The number of the server at each point. */
  readonly #owners: Int32Array;
  readonly #isSingle: boolean;
  readonly #others: Balancer;

  constructor(peers: readonly Peer[], key: KeyFunction) {
    const servers = new Map<string, Peer[]>();
    for (const peer of peers) {
      const namesakes = servers.get(peer.server);
      if (namesakes === undefined) servers.set(peer.server, [peer]);
      else namesakes.push(peer);
    }
    const points = layPoints([...servers.values()]);
    this.#key = key;
    this.#servers = [...servers.values()].map((namesakes) => new RoundRobinBalancer(namesakes));
    this.#hashes = Uint32Array.from(points, (point) => Math.floor(point / SERVER_RANGE));
    this.#owners = Int32Array.from(points, (point) => point % SERVER_RANGE);
    this.#isSingle = peers.length < 2;
    this.#others = createRoundRobin(peers);
  }

  pick(context: PickContext): Peer | null {
    if (this.#isSingle) return this.#others.pick(context);
    const key = this.#key(context.subject);
    if (key === '') return this.#others.pick(context);
    const owners = this.#owners;
    const first = this.#find(crc32(key));
    for (let passed = 0; passed <= MAX_POINTS; passed++) {
      const peer = this.#servers[owners[(first + passed) % owners.length]!]!.pick(context);
      if (peer !== null) return peer;
    }
    return this.#others.pick(context);
  }

  /** The number of the first point at or behind `hash`; that of none is the first. */
  #find(hash: number): number {
    const hashes = this.#hashes;
    let low = 0;
    let high = hashes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (hashes[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** All points in order, each as its hash and the number of its server; of equal hashes the first server's. */
function layPoints(servers: readonly (readonly Peer[])[]): Float64Array {
  const weights = servers.map((peers) => Math.max(...peers.map((peer) => peer.weight)));
  const points = new Float64Array(weights.reduce((sum, weight) => sum + weight, 0) * POINTS);
  const link = Buffer.alloc(4);
  let count = 0;
  for (const [number, peers] of servers.entries()) {
    const base = crc32(pointName(peers[0]!.server));
    let hash = 0;
    for (let i = 0; i < weights[number]! * POINTS; i++) {
      // Each point's hash goes over that of the one before.
      link.writeUInt32LE(hash);
      hash = crc32Bytes(link, base);
      points[count++] = hash * SERVER_RANGE + number;
    }
  }
  points.sort();
  return points.filter(
    (point, i) => i === 0 || Math.floor(points[i - 1]! / SERVER_RANGE) !== Math.floor(point / SERVER_RANGE),
  );
}

/** `HOST NUL PORT` in latin1; a name without a port of its own has an empty one. */
function pointName(server: string): string {
  if (/^unix:/i.test(server)) return `${server.slice(5)}\0`;
  const port = /:(\d*)$/.exec(server);
  return port === null ? `${server}\0` : `${server.slice(0, port.index)}\0${port[1]}`;
}
