import { describe, expect, it } from 'vitest';
import { UpstreamGroup } from './group.js';
import { PeerFlag, type PeerOptions } from './peer.js';
import { PeerTable, peerTableBytes } from './peer-table.js';

const TWO = [
  { index: 0, count: 2 },
  { index: 1, count: 2 },
] as const;

function server(port: number, rest: Partial<PeerOptions> = {}): PeerOptions {
  return { address: { host: '127.0.0.1', port, path: null }, ...rest };
}

/** The same group as two workers have it. */
function twoGroups(servers: readonly PeerOptions[]) {
  const memory = new SharedArrayBuffer(peerTableBytes(servers.length, TWO[0]));
  return TWO.map((place) => {
    const table = new PeerTable(memory, place);
    const group = new UpstreamGroup('a', [], { mayBeEmpty: true, lock: table.lock });
    group.setPeers(servers.map((options, i) => table.makePeer(options, i)));
    return { table, group };
  });
}

describe('peers of two workers', () => {
  it('are the same: one that fails for one worker is out for both', () => {
    const [one, other] = twoGroups([server(1), server(2)]);
    const peer = one!.group.pick([])!;
    one!.group.noteFailure(peer);
    one!.group.release(peer);
    const names = Array.from({ length: 4 }, () => other!.group.pick([])!.name);
    expect(new Set(names)).toEqual(new Set(['127.0.0.1:2']));
    one!.group.setFlags(one!.group.peers[1]!, PeerFlag.unhealthy, true);
    expect(other!.group.pick([])).toBeNull();
  });

  it('keep max_conns together, and lose what a dead worker had under way', () => {
    const [one, other] = twoGroups([server(1, { maxConns: 3 })]);
    one!.group.pick([]);
    other!.group.pick([]);
    other!.group.pick([]);
    expect(one!.group.pick([])).toBeNull();
    one!.table.forgetWorker(1);
    expect(one!.group.peers[0]!.activeRequests).toBe(1);
    expect(one!.group.pick([])).not.toBeNull();
  });

  it('take turns together', () => {
    const [one, other] = twoGroups([server(1, { weight: 3 }), server(2)]);
    const names = Array.from({ length: 8 }, (_, i) => (i % 2 ? one : other)!.group.pick([])!.address.port);
    expect(names.filter((port) => port === 1).length).toBe(6);
  });

  it('that stand there twice are two', () => {
    const [one] = twoGroups([server(1), server(1)]);
    one!.group.peers[0]!.fails = 1;
    expect(one!.group.peers.map((peer) => peer.fails)).toEqual([1, 0]);
  });
});

it('the place of an address that is gone goes to another once its requests are over', () => {
  const memory = new SharedArrayBuffer(peerTableBytes(0, TWO[0]));
  const table = new PeerTable(memory, TWO[0]);
  for (let port = 1; port < 200; port++) {
    const peer = table.makePeer(server(port, { weight: 2 }), 0);
    expect([peer.weight, peer.fails]).toEqual([2, 0]);
    peer.fails = port;
    table.dropPeer(peer);
  }
});

it('a table that is full gives records of their own', () => {
  const memory = new SharedArrayBuffer(peerTableBytes(1, TWO[0]));
  const [one, other] = TWO.map((place) => new PeerTable(memory, place));
  const make = (table: PeerTable) =>
    Array.from({ length: 100 }, (_, port) => table.makePeer(server(port + 1), 0));
  const peers = make(one!);
  const others = make(other!);
  for (const peer of peers) peer.fails = 1;
  const shared = others.filter((peer) => peer.fails === 1).length;
  expect(shared).toBe(34);
});
