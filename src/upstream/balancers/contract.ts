/*
 * What every balancer must hold, whatever its way of choosing. Run by each balancer's own test; not
 * a test file itself. What is one balancer's alone stands in its test.
 */

import { describe, expect, it } from 'vitest';
import { Peer, type PeerOptions } from '../peer.js';
import type { Balancer, PickContext } from './balancer.js';

/** Time of every pick of the suite; the peers' windows are laid around it. */
const NOW_MS = 100_000;
const FAIL_TIMEOUT_MS = 10_000;

/** Runs the suite over the balancer that create() makes for some peers. */
export function testBalancerContract(create: (peers: readonly Peer[]) => Balancer): void {
  describe('as a balancer', () => {
    it('picks the only peer again and again', () => {
      const [peer] = makePeers(1);
      const balancer = create([peer!]);
      for (let i = 0; i < 5; i++) expect(balancer.pick(untried())).toBe(peer);
    });

    it('picks each peer once, and then none, for a request that tries them all', () => {
      const peers = makePeers(6, { weight: 3 });
      const balancer = create(peers);
      for (let round = 0; round < 20; round++) {
        const tried: Peer[] = [];
        for (const _ of peers) tried.push(balancer.pick(context(tried))!);
        expect(new Set(tried)).toEqual(new Set(peers));
        expect(balancer.pick(context(tried))).toBeNull();
      }
    });

    it('never picks a peer that is down', () => {
      const peers = makePeers(3);
      peers[1]!.isDown = true;
      const balancer = create(peers);
      for (let i = 0; i < 30; i++) expect(balancer.pick(untried())).not.toBe(peers[1]);
    });

    it('never picks a failed peer within its window', () => {
      const peers = makePeers(3);
      fail(peers[0]!, NOW_MS - FAIL_TIMEOUT_MS);
      const balancer = create(peers);
      for (let i = 0; i < 30; i++) expect(balancer.pick(untried())).not.toBe(peers[0]);
    });

    it('finds the one peer that can be used among many that cannot', () => {
      const peers = makePeers(100, { weight: 7 });
      for (const peer of peers) fail(peer, NOW_MS - 1);
      peers[63]!.fails = 0;
      const balancer = create(peers);
      for (let i = 0; i < 10; i++) expect(balancer.pick(untried())).toBe(peers[63]);
    });

    it('picks a failed peer again when its window has passed', () => {
      const peers = makePeers(2);
      peers[0]!.isDown = true;
      fail(peers[1]!, NOW_MS - FAIL_TIMEOUT_MS - 1);
      expect(create(peers).pick(untried())).toBe(peers[1]);
    });

    it('picks a peer with max_fails of 0 however often it failed', () => {
      const peers = makePeers(1, { maxFails: 0 });
      fail(peers[0]!, NOW_MS);
      expect(create(peers).pick(untried())).toBe(peers[0]);
    });

    it('picks none when none can be used, and leaves every peer as it was', () => {
      const peers = makePeers(3);
      peers[0]!.isDown = true;
      fail(peers[1]!, NOW_MS);
      const before = peers.map(stateOf);
      expect(create(peers).pick(context([peers[2]!]))).toBeNull();
      expect(peers.map(stateOf)).toEqual(before);
    });

    it('leaves the counts and times of failures and of requests to the group', () => {
      const peers = makePeers(3, { maxFails: 5 });
      fail(peers[2]!, NOW_MS - 50_000);
      const counts = (peer: Peer) => [peer.fails, peer.accessedAtMs, peer.checkedAtMs, peer.activeRequests];
      const before = peers.map(counts);
      const balancer = create(peers);
      const asked = untried();
      for (let i = 0; i < 30; i++) balancer.pick(asked);
      expect(peers.map(counts)).toEqual(before);
      expect(asked).toEqual(untried());
    });
  });
}

function untried(): PickContext {
  return context([]);
}

/** Asked by one and the same subject each time. */
function context(tried: readonly Peer[]): PickContext {
  return { tried, nowMs: NOW_MS, subject: 'somebody' };
}

function stateOf(peer: Peer): number[] {
  const { flags, fails, accessedAtMs, checkedAtMs, activeRequests, currentWeight, effectiveWeight } = peer;
  return [flags, fails, accessedAtMs, checkedAtMs, activeRequests, currentWeight, effectiveWeight];
}

function makePeers(count: number, options: Partial<PeerOptions> = {}): Peer[] {
  return Array.from(
    { length: count },
    (_, i) =>
      new Peer({
        address: { host: '127.0.0.1', port: 9001 + i, path: null },
        failTimeoutMs: FAIL_TIMEOUT_MS,
        ...options,
      }),
  );
}

function fail(peer: Peer, atMs: number): void {
  peer.fails = 1;
  peer.accessedAtMs = atMs;
  peer.checkedAtMs = atMs;
}
