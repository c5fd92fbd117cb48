// `npm run bench:peers`: what choosing one of 1,000 servers costs, by each way of choosing. A choice is what a request
// asks of its group: pick and release, while 64 others hold the servers they were given. Runs on this Node. Exits 1 when
// round robin or a hash takes a microsecond or more.

import type { BalancerFactory } from '../src/upstream/balancers/balancer.js';
import { ConsistentHashBalancer } from '../src/upstream/balancers/consistent-hash.js';
import { HashBalancer } from '../src/upstream/balancers/hash.js';
import { IpHashBalancer } from '../src/upstream/balancers/ip-hash.js';
import { LeastConnBalancer } from '../src/upstream/balancers/least-conn.js';
import { LeastTimeBalancer } from '../src/upstream/balancers/least-time.js';
import { RandomBalancer } from '../src/upstream/balancers/random.js';
import { createRoundRobin } from '../src/upstream/balancers/round-robin.js';
import { NO_PEERS, UpstreamGroup } from '../src/upstream/group.js';
import type { Peer, PeerOptions } from '../src/upstream/peer.js';

const peerCount = 1_000;
const boundNs = 1_000;
const atOnce = 64;
const rounds = 9;
const roundMs = 100;
const choicesPerLook = 256;
const subjectCount = 4_096;

/** As the configuration says it; whether the bound holds for it. Others look at every server, as in nginx. */
interface Way {
  name: string;
  isBounded: boolean;
  balancer: BalancerFactory;
}

const keyOf = (subject: unknown) => subject as string;

const ways: Way[] = [
  { name: 'round robin', isBounded: true, balancer: createRoundRobin },
  { name: 'hash', isBounded: true, balancer: (peers) => new HashBalancer(peers, keyOf) },
  {
    name: 'hash consistent',
    isBounded: true,
    balancer: (peers) => new ConsistentHashBalancer(peers, keyOf),
  },
  { name: 'ip_hash', isBounded: true, balancer: (peers) => new IpHashBalancer(peers, keyOf) },
  { name: 'random', isBounded: true, balancer: (peers) => new RandomBalancer(peers, null) },
  {
    name: 'random two least_conn',
    isBounded: true,
    balancer: (peers) => new RandomBalancer(peers, (peer) => peer.activeRequests),
  },
  { name: 'least_conn', isBounded: false, balancer: (peers) => new LeastConnBalancer(peers) },
  {
    name: 'least_time header',
    isBounded: false,
    balancer: (peers) => new LeastTimeBalancer(peers, 'header', false),
  },
];

/** Addresses of clients, which serve as keys too. */
const subjects = Array.from({ length: subjectCount }, (_, i) => `10.${i >> 8}.${i & 255}.7`);

let isGood = true;
for (const way of ways) {
  const ns = measure(way);
  const bound = way.isBounded ? `, bound ${boundNs} ns` : '';
  process.stdout.write(
    `${way.name} among ${peerCount.toLocaleString('en')} servers: ${ns.toFixed(0)} ns a choice${bound}\n`,
  );
  if (way.isBounded && ns >= boundNs) isGood = false;
}
if (!isGood) process.exitCode = 1;

/** Nanoseconds a choice: the median of several rounds behind one that isn't counted. */
function measure({ balancer }: Way): number {
  const group = new UpstreamGroup('app', makePeers(), { balancer });
  const held: Peer[] = [];
  while (held.length < atOnce) held.push(group.pick(NO_PEERS, subjects[held.length])!);
  const figures: number[] = [];
  let count = 0;
  for (let round = 0; round <= rounds; round++) {
    const startedAt = performance.now();
    const before = count;
    let elapsedMs = 0;
    while (elapsedMs < roundMs) {
      for (let i = 0; i < choicesPerLook; i++, count++) {
        const at = count % atOnce;
        group.release(held[at]!);
        held[at] = group.pick(NO_PEERS, subjects[count % subjectCount])!;
      }
      elapsedMs = performance.now() - startedAt;
    }
    if (round > 0) figures.push((elapsedMs * 1e6) / (count - before));
  }
  return figures.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

/** Weights from 1 to 5. */
function makePeers(): PeerOptions[] {
  return Array.from({ length: peerCount }, (_, i) => ({
    address: { host: `127.0.${i >> 8}.${i & 255}`, port: 8080, path: null },
    weight: 1 + (i % 5),
  }));
}
