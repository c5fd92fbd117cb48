import { describe, expect, it } from 'vitest';
import { Peer } from '../peer.js';
import type { PickContext } from './balancer.js';
import { testBalancerContract } from './contract.js';
import { RoundRobinBalancer } from './round-robin.js';

const UNTRIED: PickContext = { tried: [], nowMs: 0, subject: null };

function makePeers(weights: readonly number[]): Peer[] {
  return weights.map(
    (weight, i) => new Peer({ address: { host: '', port: 0, path: `/${'abcdefgh'[i]}` }, weight }),
  );
}

/** The peers of count picks, by their letters. */
function pickLetters(balancer: RoundRobinBalancer, count: number): string {
  return Array.from({ length: count }, () => balancer.pick(UNTRIED)?.address.path?.slice(1)).join('');
}

describe('round robin', () => {
  testBalancerContract((peers) => new RoundRobinBalancer(peers));

  it.each([
    [[1, 1, 1], 'abcabcabc'],
    [[5, 1, 1], 'aabacaaaabacaa'],
    [[1, 2], 'babbab'],
    [[4, 2, 1], 'abacabaabacaba'],
  ])('with weights %j picks %s', (weights, letters) => {
    expect(pickLetters(new RoundRobinBalancer(makePeers(weights)), letters.length)).toBe(letters);
  });

  it('gives each peer exactly its weight in any row of as many picks as the weights sum up to', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const weights = Array.from({ length: 1 + (seed % 8) }, (_, i) => 1 + ((seed * 31 + i * i * 17) % 23));
      const total = weights.reduce((sum, weight) => sum + weight);
      const balancer = new RoundRobinBalancer(makePeers(weights));
      pickLetters(balancer, seed);
      const letters = pickLetters(balancer, total);
      const counts = weights.map((_, i) => letters.split('abcdefgh'[i]!).length - 1);
      expect(counts, `weights ${weights}`).toEqual(weights);
    }
  });

  it('never lets a peer stray from its share by more than the number of peers', () => {
    for (const weights of [
      [5, 1, 1],
      [10, 7, 3, 1],
      [1, 1, 20],
      [3, 3, 2, 2, 1],
    ]) {
      const total = weights.reduce((sum, weight) => sum + weight);
      const counts = weights.map(() => 0);
      const balancer = new RoundRobinBalancer(makePeers(weights));
      for (let picks = 1; picks <= 3 * total; picks++) {
        counts['abcdefgh'.indexOf(pickLetters(balancer, 1))]!++;
        const strays = weights.map((weight, i) => Math.abs(counts[i]! - (picks * weight) / total));
        expect(Math.max(...strays)).toBeLessThan(weights.length);
      }
    }
  });

  it('takes the next in turn for a request that tried the first, and evens out afterwards', () => {
    const peers = makePeers([1, 1, 1]);
    const balancer = new RoundRobinBalancer(peers);
    expect(balancer.pick({ tried: [peers[0]!], nowMs: 0, subject: null })).toBe(peers[1]);
    expect(balancer.pick({ tried: [peers[0]!, peers[1]!], nowMs: 0, subject: null })).toBe(peers[2]);
    expect(pickLetters(balancer, 6)).toBe('cabcab');
  });

  it('gives a peer whose effective weight was lowered fewer picks, one more at each, until it is back', () => {
    const peers = makePeers([4, 4]);
    peers[0]!.effectiveWeight = 0;
    const balancer = new RoundRobinBalancer(peers);
    expect(pickLetters(balancer, 8)).toBe('bbababab');
    expect(peers[0]!.effectiveWeight).toBe(4);
  });

  it('picks a peer whose effective weight is 0 when there is no other', () => {
    const peers = makePeers([1]);
    peers[0]!.effectiveWeight = 0;
    expect(new RoundRobinBalancer(peers).pick(UNTRIED)).toBe(peers[0]);
  });
});
