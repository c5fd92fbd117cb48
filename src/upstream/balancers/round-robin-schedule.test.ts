import { describe, expect, it } from 'vitest';
import { Peer } from '../peer.js';
import type { PickContext } from './balancer.js';
import { testBalancerContract } from './contract.js';
import { ScheduledRoundRobin } from './round-robin-schedule.js';

const UNTRIED: PickContext = { tried: [], nowMs: 0, subject: null };

function peersOf(weights: readonly number[]): Peer[] {
  return weights.map((weight, i) => new Peer({ address: { host: '', port: 0, path: `/${i}` }, weight }));
}

describe('round robin of many peers', () => {
  testBalancerContract((peers) => new ScheduledRoundRobin(peers));

  it('takes peers of equal weight one after the other', () => {
    const peers = peersOf([7, 7, 7, 7]);
    const balancer = new ScheduledRoundRobin(peers);
    expect([...peers, ...peers].map(() => balancer.pick(UNTRIED))).toEqual([...peers, ...peers]);
  });

  it('gives each peer exactly its weight in any round, and never leaves it far from its share', () => {
    for (let seed = 1; seed < 40; seed++) {
      const weights = Array.from({ length: 2 + seed }, (_, i) => 1 + ((seed * 31 + i * i * 17) % 23));
      const total = weights.reduce((sum, weight) => sum + weight);
      const peers = peersOf(weights);
      const balancer = new ScheduledRoundRobin(peers);
      const counts = weights.map(() => 0);
      for (let picks = 1; picks <= total; picks++) {
        counts[peers.indexOf(balancer.pick(UNTRIED)!)]!++;
        const strays = weights.map((weight, i) => Math.abs(counts[i]! - (picks * weight) / total));
        expect(Math.max(...strays)).toBeLessThan(2);
      }
      expect(counts).toEqual(weights);
    }
  });

  it('uses only a part of the turns of a peer whose weight failures lowered, and more each turn', () => {
    const peers = peersOf([4, 4]);
    peers[0]!.effectiveWeight = 0;
    const balancer = new ScheduledRoundRobin(peers);
    const picks = Array.from({ length: 16 }, () => peers.indexOf(balancer.pick(UNTRIED)!)).join('');
    expect(picks).toBe('1110101010101010');
    expect(peers[0]!.effectiveWeight).toBe(4);
  });

  it('lets weights grow that are too great to lay out one by one', () => {
    const peers = peersOf([1, 65_535, 40_000, 65_535, 60_000, ...new Array(60).fill(65_534)]);
    const balancer = new ScheduledRoundRobin(peers);
    const counts = new Map<Peer, number>();
    for (let i = 0; i < 200_000; i++) {
      const peer = balancer.pick(UNTRIED)!;
      counts.set(peer, (counts.get(peer) ?? 0) + 1);
    }
    expect(counts.get(peers[2]!)! / counts.get(peers[1]!)!).toBeCloseTo(40_000 / 65_535, 1);
  });
});
