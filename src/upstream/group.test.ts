import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { NO_PEERS, UpstreamGroup } from './group.js';
import type { Peer, PeerOptions } from './peer.js';

type Options = Omit<PeerOptions, 'address'>;

/** A group of peers "unix:/a", "unix:/b", ... on a clock of its own, and what it told its hooks. */
function setUp(...options: Options[]) {
  const clock = new FakeClock();
  const peers = options.map((each, i) => ({
    address: { host: '', port: 0, path: `/${'abcdef'[i]}` },
    ...each,
  }));
  const group = new UpstreamGroup('app', peers, { clock });
  const events: string[] = [];
  group.onPeerDown = (peer) => events.push(`down ${letter(peer)}`);
  group.onPeerUp = (peer) => events.push(`up ${letter(peer)}`);
  /** One request for each character: its first try, which succeeds unless the peer is among failing. */
  const serve = (count: number, failing = '') =>
    Array.from({ length: count }, () => {
      const peer = group.pick(NO_PEERS);
      if (peer === null) return '-';
      if (failing.includes(letter(peer))) group.noteFailure(peer);
      else group.noteSuccess(peer);
      group.release(peer);
      return letter(peer);
    }).join('');
  /** As many requests at once, under way for good. */
  const hold = (count: number) => Array.from({ length: count }, () => letter(group.pick(NO_PEERS))).join('');
  return { clock, group, events, serve, hold };
}

function letter(peer: Peer | null): string {
  return peer === null ? '-' : peer.address.path!.slice(1);
}

describe('an upstream group', () => {
  it('hands out its peers in smooth weighted turns', () => {
    expect(setUp({ weight: 5 }, {}, {}).serve(14)).toBe('aabacaaaabacaa');
  });

  it('counts the tries under way of each peer', () => {
    const { group } = setUp({}, {});
    const [a, b] = [group.pick(NO_PEERS)!, group.pick(NO_PEERS)!];
    group.pick(NO_PEERS);
    expect(group.peers.map((peer) => peer.activeRequests)).toEqual([2, 1]);
    group.release(a);
    group.release(b);
    expect(group.peers.map((peer) => peer.activeRequests)).toEqual([1, 0]);
  });

  it('gives a request that tries again the peers it has not tried, and then none', () => {
    const { group } = setUp({}, {}, {});
    const tried: Peer[] = [];
    for (let peer = group.pick(tried); peer !== null; peer = group.pick(tried)) tried.push(peer);
    expect(tried.map(letter)).toEqual(['a', 'b', 'c']);
  });

  it('never uses a peer that is down', () => {
    expect(setUp({}, { isDown: true }, {}).serve(4)).toBe('acac');
    expect(setUp({ isDown: true }, { isDown: true }).serve(1)).toBe('-');
  });

  it('without a peer that is not a backup cannot be made', () => {
    const message = 'Cannot use upstream "app": no peer besides backups; add one without backup';
    expect(() => setUp({ isBackup: true })).toThrow(new Error(message));
    expect(() => setUp()).toThrow(new Error(message));
  });
});

describe('a peer of a group that fails max_fails times', () => {
  it('is passed by until fail_timeout is over', () => {
    const { clock, serve } = setUp({}, { failTimeoutMs: 5000 });
    expect(serve(2, 'b')).toBe('ab');
    clock.advance(5000);
    expect(serve(6)).toBe('aaaaaa');
    clock.advance(1);
    expect(serve(6)).toContain('b');
  });

  it('is still used while it failed fewer times', () => {
    const { serve, events } = setUp({}, { maxFails: 3, weight: 2 });
    expect(serve(6, 'b').replaceAll('a', '')).toHaveLength(3);
    expect(events).toEqual(['down b']);
    expect(serve(5)).toBe('aaaaa');
  });

  it('is never passed by when max_fails is 0', () => {
    const { serve, events } = setUp({}, { maxFails: 0 });
    expect(serve(8, 'b')).toBe('abababab');
    expect(events).toEqual([]);
  });

  it('then gets one request at a time as a trial, the others pass it by for another fail_timeout', () => {
    const { clock, serve, hold } = setUp({}, {});
    serve(2, 'b');
    for (let i = 0; i < 3; i++) {
      clock.advance(10_000);
      expect(hold(10)).toBe('aaaaaaaaaa');
      clock.advance(1);
      expect(hold(10).replaceAll('a', '')).toBe('b');
    }
  });

  it('is back for all when the trial succeeds', () => {
    const { clock, serve, events } = setUp({}, {});
    serve(2, 'b');
    clock.advance(10_001);
    expect(serve(8)).toBe('aabababa');
    expect(events).toEqual(['down b', 'up b']);
  });

  it('is out for another fail_timeout when the trial fails, and that is not told again', () => {
    const { clock, serve, events } = setUp({}, {});
    serve(2, 'b');
    for (let i = 0; i < 3; i++) {
      clock.advance(10_001);
      expect(serve(6, 'b').replaceAll('a', '')).toBe('b');
    }
    expect(events).toEqual(['down b']);
  });

  it('is told down once however many requests were under way', () => {
    const { group, events } = setUp({}, {});
    const picked = Array.from({ length: 20 }, () => group.pick(NO_PEERS)!);
    for (const peer of picked) if (letter(peer) === 'b') group.noteFailure(peer);
    expect(events).toEqual(['down b']);
  });

  it('is not brought back by the success of a request that was under way before', () => {
    const { clock, group, serve, events } = setUp({}, {});
    const picked = [group.pick(NO_PEERS)!, group.pick(NO_PEERS)!];
    clock.advance(100);
    expect(serve(2, 'b')).toBe('ab');
    clock.advance(100);
    for (const peer of picked) group.noteSuccess(peer);
    expect(serve(4)).toBe('aaaa');
    expect(events).toEqual(['down b']);
  });
});

describe('a failure that does not put a peer out', () => {
  it('is forgotten at the first success after fail_timeout', () => {
    const { clock, group, serve, events } = setUp({}, { maxFails: 2 });
    const b = group.peers[1]!;
    expect(serve(2, 'b')).toBe('ab');
    expect(b.fails).toBe(1);
    clock.advance(9000);
    serve(2);
    expect(b.fails).toBe(1);
    clock.advance(1001);
    serve(2);
    expect(b.fails).toBe(0);
    expect(events).toEqual([]);
  });

  it('takes weight/max_fails off the effective weight, never below 0', () => {
    const { group } = setUp({ weight: 10, maxFails: 3 }, {});
    const a = group.peers[0]!;
    const weights = [1, 2, 3, 4, 5].map(() => {
      group.noteFailure(a);
      return a.effectiveWeight;
    });
    expect(weights).toEqual([7, 4, 1, 0, 0]);
  });
});

describe('when all peers of a group have failed', () => {
  it('none is picked until the first window has passed', () => {
    const { clock, serve, events } = setUp({ failTimeoutMs: 3000 }, {});
    expect(serve(2, 'ab')).toBe('ab');
    expect(serve(3)).toBe('---');
    clock.advance(3001);
    expect(serve(4)).toBe('aaaa');
    expect(events).toEqual(['down a', 'down b', 'up a']);
  });
});

describe('a group of a single peer', () => {
  it('uses it however often it failed', () => {
    const { serve, events } = setUp({});
    expect(serve(5, 'a')).toBe('aaaaa');
    expect(events).toEqual([]);
  });

  it('has none for a request that has tried it, nor when it is down', () => {
    const { group } = setUp({});
    expect(group.pick([group.peers[0]!])).toBeNull();
    expect(setUp({ isDown: true }).group.pick(NO_PEERS)).toBeNull();
  });
});

describe('a backup', () => {
  it('is used only while no other peer can be', () => {
    const { clock, serve } = setUp({}, {}, { isBackup: true, weight: 9 });
    expect(serve(4)).toBe('abab');
    expect(serve(2, 'ab')).toBe('ab');
    expect(serve(3)).toBe('ccc');
    clock.advance(10_001);
    expect(serve(4)).not.toContain('c');
  });

  it('is the last a request tries', () => {
    const { group } = setUp({ isBackup: true }, {}, {});
    const tried: Peer[] = [];
    for (let peer = group.pick(tried); peer !== null; peer = group.pick(tried)) tried.push(peer);
    expect(tried.map(letter)).toEqual(['b', 'c', 'a']);
  });

  it('beside one other peer makes failures of that one count', () => {
    const { serve, events } = setUp({}, { isBackup: true });
    expect(serve(3, 'a')).toBe('abb');
    expect(events).toEqual(['down a']);
  });

  it('that has failed is passed by too', () => {
    expect(setUp({}, { isBackup: true }).serve(4, 'ab')).toBe('ab--');
  });
});
