import { describe, expect, it } from 'vitest';
import { Peer } from '../peer.js';
import type { PickContext } from './balancer.js';
import { testBalancerContract } from './contract.js';
import { RandomBalancer } from './random.js';

const UNTRIED: PickContext = { tried: [], nowMs: 0, subject: null };
const CONNS = (peer: Peer) => peer.activeRequests;

function peersOf(...weights: number[]): Peer[] {
  return weights.map((weight, i) => new Peer({ address: { host: '', port: 0, path: `/${i}` }, weight }));
}

/** Numbers that only look random. */
function seeded(): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 0x1000000;
  };
}

describe('random', () => {
  testBalancerContract((peers) => new RandomBalancer(peers, null, seeded()));
  describe('two', () => testBalancerContract((peers) => new RandomBalancer(peers, CONNS, seeded())));

  it('draws peers by their weight', () => {
    const peers = peersOf(1, 2, 7);
    const balancer = new RandomBalancer(peers, null, seeded());
    const counts = [0, 0, 0];
    for (let i = 0; i < 50_000; i++) counts[peers.indexOf(balancer.pick(UNTRIED)!)]!++;
    for (const [i, peer] of peers.entries()) expect(counts[i]! / 50_000).toBeCloseTo(peer.weight / 10, 1);
  });

  it('two takes the one with fewer requests for its weight', () => {
    const peers = peersOf(1, 1);
    peers[0]!.countActive(5 - peers[0]!.activeRequests);
    const balancer = new RandomBalancer(peers, CONNS, seeded());
    for (let i = 0; i < 20; i++) expect(balancer.pick(UNTRIED)).toBe(peers[1]);
  });

  it('two keeps the fullest peer close to the average, as one draw does not', () => {
    const excess = (cost: ((peer: Peer) => number) | null) => {
      const peers = peersOf(...new Array(50).fill(1));
      const balancer = new RandomBalancer(peers, cost, seeded());
      for (let i = 0; i < 5000; i++) balancer.pick(UNTRIED)!.countActive(1);
      return Math.max(...peers.map(CONNS)) - 100;
    };
    expect(excess(CONNS)).toBeLessThan(6);
    expect(excess(null)).toBeGreaterThan(10);
  });
});
