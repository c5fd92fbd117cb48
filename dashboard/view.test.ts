import { expect, it } from 'vitest';
import type { PeerSnapshot, Snapshot } from '../src/modules/http/dashboard/snapshot.js';
import { keyOf, nextView } from './view.js';

function peer(state: PeerSnapshot['state'], requests: number): PeerSnapshot {
  const rest = { isBackup: false, weight: 1, active: 0, maxConns: 0, fails: 0, maxFails: 1 };
  return { id: 0, address: 'a:1', server: 'a:1', state, requests, ...rest };
}

function snapshot(nowMs: number, ofPeer: PeerSnapshot, more: Partial<Snapshot> = {}): Snapshot {
  return {
    version: '0',
    pid: 1,
    workers: 1,
    startedAtMs: 1,
    nowMs,
    wallMs: nowMs + 1_000_000,
    mayWrite: false,
    accepted: 0,
    requests: 0,
    bounds: [1],
    history: [[nowMs, 1000, 0, 0, 0]],
    upstreams: [{ name: 'app', idle: 0, queued: null, peers: [ofPeer] }],
    recent: null,
    ...more,
  };
}

it('the view goes on from answer to answer: seconds, rates, changes, and requests as long as there are no others', () => {
  const recent = { version: 3, slow: [], failed: [] };
  const first = nextView(null, snapshot(1000, peer('up', 10), { recent }));
  expect(first).toMatchObject({ lastAtMs: 1000, seen: 3, restartedAtMs: null, changes: [] });
  const second = nextView(first, snapshot(3000, peer('unhealthy', 20)));
  expect(second.seconds.map(({ atMs }) => atMs)).toEqual([1_001_000, 1_003_000]);
  expect(second.rates.get(keyOf('app', 'a:1'))).toBe(5);
  expect(second.failed).toBe(recent.failed);
  expect(second).toMatchObject({ lastAtMs: 3000, seen: 3 });
  expect(second.changes).toEqual([
    { atMs: 1_003_000, upstream: 'app', address: 'a:1', from: 'up', to: 'unhealthy' },
  ]);
});

it('a server that was started anew is said to be, and nothing of before is added to what it counts', () => {
  const recent = { version: 3, slow: [], failed: [] };
  const before = nextView(null, snapshot(9000, peer('up', 10), { recent }));
  const after = nextView(before, snapshot(500, peer('up', 0), { startedAtMs: 2, history: [] }));
  expect(after).toMatchObject({ restartedAtMs: 1_000_500, seconds: [], lastAtMs: -1, seen: -1 });
  expect(after.rates.size).toBe(0);
});
