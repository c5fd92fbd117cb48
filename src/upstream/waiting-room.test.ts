import { beforeEach, describe, expect, it } from 'vitest';
import { TimerWheel } from '../core/timer-wheel.js';
import { FakeClock } from '../testing/fake-clock.js';
import { type PeerWaiter, WaitingRoom } from './waiting-room.js';

let clock: FakeClock;
let room: WaitingRoom;
let freePeers: number;
let events: string[];

beforeEach(() => {
  clock = new FakeClock();
  room = new WaitingRoom({ limit: 3, timeoutMs: 1000 }, new TimerWheel(clock, clock), clock, (defect) => {
    events.push(String(defect));
  });
  freePeers = 0;
  events = [];
});

/** Wants one of the free peers. */
function waiter(name: string): PeerWaiter {
  const self: PeerWaiter = {
    tryPeer() {
      if (freePeers === 0) return false;
      freePeers--;
      room.leave(self);
      events.push(`${name} served`);
      return true;
    },
    onNoPeer: () => events.push(`${name} refused`),
  };
  return self;
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a waiting room', () => {
  it('gives peers that become free to those who came first', async () => {
    for (const name of ['a', 'b', 'c']) room.enter(waiter(name));
    freePeers = 2;
    room.wake();
    expect(events).toEqual([]);
    await tick();
    expect(events).toEqual(['a served', 'b served']);
    expect(room.size).toBe(1);
  });

  it('takes nobody in beyond its limit', () => {
    const isIn = ['a', 'b', 'c', 'd'].map((name) => room.enter(waiter(name)));
    expect(isIn).toEqual([true, true, true, false]);
  });

  it('sends everyone away whose time is over, and no one else', () => {
    room.enter(waiter('a'));
    clock.advance(600);
    room.enter(waiter('b'));
    clock.advance(500);
    expect(events).toEqual(['a refused']);
    clock.advance(600);
    expect(events).toEqual(['a refused', 'b refused']);
    expect(clock.sleeps.size).toBe(0);
  });

  it('notices by itself when a peer is usable again', () => {
    room.enter(waiter('a'));
    clock.advance(100);
    freePeers = 1;
    clock.advance(300);
    expect(events).toEqual(['a served']);
  });

  it('forgets who leaves', async () => {
    const first = waiter('a');
    room.enter(first);
    room.enter(waiter('b'));
    room.leave(first);
    freePeers = 2;
    room.wake();
    await tick();
    expect(events).toEqual(['b served']);
  });

  it('settles: serves whom it can, and sends the others away', () => {
    for (const name of ['a', 'b', 'c']) room.enter(waiter(name));
    freePeers = 1;
    room.settle();
    expect(events).toEqual(['a served', 'b refused', 'c refused']);
  });

  it('survives a waiter with a defect', async () => {
    room.enter({
      tryPeer() {
        throw new Error('defect');
      },
      onNoPeer() {},
    });
    room.enter(waiter('b'));
    freePeers = 1;
    room.wake();
    await tick();
    expect(events).toEqual(['Error: defect', 'b served']);
  });
});
