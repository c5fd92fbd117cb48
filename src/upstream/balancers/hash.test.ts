import { describe, expect, it } from 'vitest';
import { Peer } from '../peer.js';
import type { PickContext } from './balancer.js';
import { ConsistentHashBalancer } from './consistent-hash.js';
import { testBalancerContract } from './contract.js';
import { HashBalancer } from './hash.js';
import { IpHashBalancer } from './ip-hash.js';

const KEY = (subject: unknown) => String(subject);

function peersOf(...servers: string[]): Peer[] {
  return servers.map((server, i) => {
    const [name, weight] = server.split(' ');
    const address = { host: '127.0.0.1', port: 8001 + i, path: null };
    return new Peer({ address, server: name!, weight: weight === undefined ? 1 : Number(weight) });
  });
}

function ask(subject: string, tried: readonly Peer[] = []): PickContext {
  return { tried, nowMs: 0, subject };
}

const MAKERS = [
  ['hash', (peers: readonly Peer[], key = KEY) => new HashBalancer(peers, key)],
  ['consistent hash', (peers: readonly Peer[], key = KEY) => new ConsistentHashBalancer(peers, key)],
] as const;

describe.each(MAKERS)('%s', (_, make) => {
  testBalancerContract((peers) => make(peers));

  it('picks the same peer for the same key, whoever asked between', () => {
    const balancer = make(peersOf('a', 'b', 'c', 'd', 'e'));
    const first = Array.from({ length: 200 }, (_, i) => balancer.pick(ask(`key${i}`)));
    expect(Array.from({ length: 200 }, (_, i) => balancer.pick(ask(`key${i}`)))).toEqual(first);
    expect(new Set(first).size).toBe(5);
  });

  it('gives each peer its share of keys by weight', () => {
    const peers = peersOf('127.0.0.1:1 1', '127.0.0.1:2 2', '127.0.0.1:3 5');
    const balancer = make(peers);
    const counts = new Map<Peer, number>();
    const total = 40_000;
    for (let i = 0; i < total; i++) {
      const peer = balancer.pick(ask(`/path/${i * 7919}`))!;
      counts.set(peer, (counts.get(peer) ?? 0) + 1);
    }
    for (const peer of peers) {
      const share = counts.get(peer)! / total;
      expect(share / (peer.weight / 8)).toBeGreaterThan(0.75);
      expect(share / (peer.weight / 8)).toBeLessThan(1.25);
    }
  });

  it('takes turns for requests without a key', () => {
    const peers = peersOf('a', 'b', 'c');
    const balancer = make(peers);
    expect([1, 2, 3, 4].map(() => balancer.pick(ask('')))).toEqual([...peers, peers[0]]);
  });

  it('gives a key whose peer is out another one, always the same', () => {
    const peers = peersOf('a', 'b', 'c', 'd');
    const balancer = make(peers);
    const own = balancer.pick(ask('somebody'))!;
    own.isDown = true;
    const other = balancer.pick(ask('somebody'));
    expect(other).not.toBe(own);
    for (let i = 0; i < 5; i++) expect(balancer.pick(ask('somebody'))).toBe(other);
    own.isDown = false;
    expect(balancer.pick(ask('somebody'))).toBe(own);
  });
});

describe('hash', () => {
  // Peers that nginx 1.31 picks of four servers of weight 1, by their number.
  it.each([
    ['/a', 0],
    ['/b', 0],
    ['/c', 0],
    ['/d', 0],
    ['key', 0],
  ])('of "%s" is as in nginx', (key) => {
    const peers = peersOf('a', 'b', 'c', 'd');
    const expected = nginxHash(key, 4);
    expect(peers.indexOf(new HashBalancer(peers, KEY).pick(ask(key))!)).toBe(expected);
  });
});

/** crc32, its upper half without the sign, modulo the weights: the first hash of nginx and Cache::Memcached. */
function nginxHash(text: string, total: number): number {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text, 'latin1')) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ((~crc >>> 16) & 0x7fff) % total;
}

describe('consistent hash', () => {
  it('moves few keys when a server comes', () => {
    const servers = Array.from({ length: 10 }, (_, i) => `10.0.0.${i}:80`);
    const before = new ConsistentHashBalancer(peersOf(...servers), KEY);
    const after = new ConsistentHashBalancer(peersOf(...servers, '10.0.0.99:80'), KEY);
    let moved = 0;
    for (let i = 0; i < 5000; i++) {
      const from = before.pick(ask(`k${i}`))!.server;
      const to = after.pick(ask(`k${i}`))!.server;
      if (from === to) continue;
      expect(to).toBe('10.0.0.99:80');
      moved++;
    }
    expect(moved / 5000).toBeGreaterThan(0.04);
    expect(moved / 5000).toBeLessThan(0.16);
  });

  it('lets the addresses of one server take turns', () => {
    const peers = peersOf('app:80', 'app:80', 'app:80');
    const balancer = new ConsistentHashBalancer(peers, KEY);
    expect([1, 2, 3].map(() => balancer.pick(ask('k')))).toEqual(peers);
  });

  it('has the same points for a server wherever it stands', () => {
    const one = new ConsistentHashBalancer(peersOf('a:1', 'b:1', 'unix:/c'), KEY);
    const other = new ConsistentHashBalancer(peersOf('unix:/c', 'b:1', 'a:1'), KEY);
    for (let i = 0; i < 500; i++) expect(other.pick(ask(`${i}`))!.server).toBe(one.pick(ask(`${i}`))!.server);
  });
});

describe('ip_hash', () => {
  testBalancerContract((peers) => new IpHashBalancer(peers, () => '192.0.2.1'));

  const pick = (peers: readonly Peer[], address: string) =>
    peers.indexOf(new IpHashBalancer(peers, KEY).pick(ask(address))!);

  it('is the same for addresses that differ in the last octet alone', () => {
    const peers = peersOf('a', 'b', 'c', 'd', 'e', 'f', 'g');
    for (let i = 0; i < 50; i++) {
      expect(pick(peers, `10.${i}.${i * 3}.1`)).toBe(pick(peers, `10.${i}.${i * 3}.254`));
    }
  });

  it('goes by all of an IPv6 address', () => {
    const peers = peersOf('a', 'b', 'c', 'd', 'e', 'f', 'g');
    const picks = Array.from({ length: 100 }, (_, i) => pick(peers, `2001:db8::${(i + 1).toString(16)}`));
    expect(new Set(picks).size).toBe(7);
  });

  it('knows clients of unix sockets as one client', () => {
    const peers = peersOf('a', 'b', 'c');
    expect(pick(peers, 'unix:')).toBe(pick(peers, '0.0.0.9'));
  });

  it('gives each peer its share of clients by weight', () => {
    const peers = peersOf('a 1', 'b 3');
    const balancer = new IpHashBalancer(peers, KEY);
    let count = 0;
    for (let i = 0; i < 256; i++) {
      for (let j = 0; j < 64; j++) if (balancer.pick(ask(`10.${i}.${j}.1`)) === peers[1]) count++;
    }
    expect(count / (256 * 64)).toBeGreaterThan(0.7);
    expect(count / (256 * 64)).toBeLessThan(0.8);
  });
});
