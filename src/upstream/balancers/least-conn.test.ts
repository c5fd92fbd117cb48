import { describe, expect, it } from 'vitest';
import { Peer } from '../peer.js';
import type { PickContext } from './balancer.js';
import { testBalancerContract } from './contract.js';
import { LeastConnBalancer } from './least-conn.js';

const UNTRIED: PickContext = { tried: [], nowMs: 0, subject: null };

function peersOf(...weights: number[]): Peer[] {
  return weights.map((weight, i) => new Peer({ address: { host: '', port: 0, path: `/${i}` }, weight }));
}

describe('least_conn', () => {
  testBalancerContract((peers) => new LeastConnBalancer(peers));

  it('picks the peer with the fewest requests for its weight', () => {
    const peers = peersOf(1, 4, 2);
    peers[0]!.countActive(2 - peers[0]!.activeRequests);
    peers[1]!.countActive(5 - peers[1]!.activeRequests);
    peers[2]!.countActive(3 - peers[2]!.activeRequests);
    expect(new LeastConnBalancer(peers).pick(UNTRIED)).toBe(peers[1]);
  });

  it('lets equals take turns by weight', () => {
    const peers = peersOf(3, 1);
    const balancer = new LeastConnBalancer(peers);
    expect([1, 2, 3, 4].map(() => peers.indexOf(balancer.pick(UNTRIED)!))).toEqual([0, 0, 1, 0]);
  });

  it('keeps requests under way in proportion to the weights, whoever ends', () => {
    const peers = peersOf(1, 2, 5);
    const balancer = new LeastConnBalancer(peers);
    for (let i = 0; i < 800; i++) balancer.pick(UNTRIED)!.countActive(1);
    expect(peers.map((peer) => peer.activeRequests)).toEqual([100, 200, 500]);
    peers[2]!.countActive(0 - peers[2]!.activeRequests);
    for (let i = 0; i < 500; i++) balancer.pick(UNTRIED)!.countActive(1);
    expect(peers.map((peer) => peer.activeRequests)).toEqual([100, 200, 500]);
  });

  it('gives a peer that warms up a growing part of its share', () => {
    const peers = [0, 1].map(
      (i) => new Peer({ address: { host: '', port: 0, path: `/${i}` }, slowStartMs: 1000 }),
    );
    peers[0]!.startSlowly(0);
    const balancer = new LeastConnBalancer(peers);
    for (let i = 0; i < 150; i++) balancer.pick({ ...UNTRIED, nowMs: 500 })!.countActive(1);
    expect(peers.map((peer) => peer.activeRequests)).toEqual([50, 100]);
  });
});
