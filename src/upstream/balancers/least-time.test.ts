import { describe, expect, it } from 'vitest';
import { Peer } from '../peer.js';
import type { PickContext } from './balancer.js';
import { testBalancerContract } from './contract.js';
import { LeastTimeBalancer } from './least-time.js';

function peersOf(count: number, failTimeoutMs = 10_000): Peer[] {
  return Array.from(
    { length: count },
    (_, i) => new Peer({ address: { host: '', port: 0, path: `/${i}` }, failTimeoutMs }),
  );
}

function at(nowMs: number): PickContext {
  return { tried: [], nowMs, subject: null };
}

describe('least_time', () => {
  testBalancerContract((peers) => new LeastTimeBalancer(peers, 'header', false));
  describe('with inflight', () =>
    testBalancerContract((peers) => new LeastTimeBalancer(peers, 'last_byte', true)));

  it('lets peers that nothing is known of take turns', () => {
    const peers = peersOf(2);
    const balancer = new LeastTimeBalancer(peers, 'last_byte', false);
    expect([1, 2, 3, 4].map(() => peers.indexOf(balancer.pick(at(0))!))).toEqual([0, 1, 0, 1]);
  });

  it.each([
    ['header', [500, 30], [30, 500], 1],
    ['last_byte', [500, 30], [30, 500], 0],
  ] as const)('goes by the time to the %s', (measured, headerMs, responseMs, best) => {
    const peers = peersOf(2);
    const balancer = new LeastTimeBalancer(peers, measured, false);
    for (const [i, peer] of peers.entries()) balancer.noteEnd(peer, headerMs[i]!, responseMs[i]!, 0);
    expect(balancer.pick(at(0))).toBe(peers[best]);
  });

  it('counts requests under way as time', () => {
    const peers = peersOf(2);
    const balancer = new LeastTimeBalancer(peers, 'last_byte', false);
    balancer.noteEnd(peers[0]!, 1, 100, 0);
    balancer.noteEnd(peers[1]!, 1, 250, 0);
    peers[0]!.countActive(1 - peers[0]!.activeRequests);
    expect(balancer.pick(at(0))).toBe(peers[0]);
    peers[0]!.countActive(2 - peers[0]!.activeRequests);
    expect(balancer.pick(at(0))).toBe(peers[1]);
  });

  it('takes nothing of a try without an answer', () => {
    const peers = peersOf(2);
    const balancer = new LeastTimeBalancer(peers, 'last_byte', false);
    balancer.noteEnd(peers[0]!, -1, 5000, 0);
    expect(peers[0]!.responseTimeMs).toBe(0);
  });

  it('averages times, the last one weighing a twentieth', () => {
    const [peer] = peersOf(1);
    const balancer = new LeastTimeBalancer([peer!], 'last_byte', false);
    for (const ms of [100, 200]) balancer.noteEnd(peer!, ms, ms, 0);
    expect(peer!.responseTimeMs).toBeCloseTo(105);
  });

  it('gives a slow peer another chance once nobody asked it for a while', () => {
    const peers = peersOf(2, 0);
    const balancer = new LeastTimeBalancer(peers, 'last_byte', false);
    for (const [i, peer] of peers.entries()) {
      peer.checkedAtMs = 0;
      balancer.noteEnd(peer, 1, i === 0 ? 4000 : 30, 0);
    }
    peers[1]!.checkedAtMs = 100_000;
    expect(balancer.pick(at(5000))).toBe(peers[1]);
    expect(balancer.pick(at(9000))).toBe(peers[0]);
  });

  it('with inflight shuns a peer whose requests hang', () => {
    const peers = peersOf(2);
    const balancer = new LeastTimeBalancer(peers, 'last_byte', true);
    const first = balancer.pick(at(0))!;
    for (let ms = 100; ms < 5000; ms += 100) {
      const peer = balancer.pick(at(ms))!;
      if (peer === first) continue;
      balancer.noteEnd(peer, 1, 1, ms);
    }
    const other = peers.find((peer) => peer !== first);
    for (let i = 0; i < 5; i++) {
      const peer = balancer.pick(at(5000))!;
      expect(peer).toBe(other);
      balancer.noteEnd(peer, 1, 1, 5000);
    }
  });

  it('with inflight forgets the wait of what has come', () => {
    const [peer, other] = peersOf(2);
    const balancer = new LeastTimeBalancer([peer!, other!], 'header', true);
    balancer.charge(peer!, at(0));
    balancer.charge(peer!, at(100));
    balancer.noteHeader(peer!, 200, 200);
    expect(peer!.inflightRequests).toBe(1);
    expect(peer!.inflightSumMs).toBe(100);
    balancer.noteEnd(peer!, 200, 300, 300);
    expect(peer!.inflightRequests).toBe(1);
    balancer.noteEnd(peer!, -1, 300, 400);
    expect(peer!.inflightRequests).toBe(0);
    expect(peer!.inflightSumMs).toBe(0);
  });
});
