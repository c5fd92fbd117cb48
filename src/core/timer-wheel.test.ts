import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { Deadline, type DeadlineOwner, TimerWheel } from './timer-wheel.js';

const TICK_MS = 20;

/** Writes down when its deadline fired. */
class Owner implements DeadlineOwner {
  readonly firedAtMs: number[] = [];
  readonly deadline: Deadline;
  readonly #clock: FakeClock;

  constructor(wheel: TimerWheel, clock: FakeClock) {
    this.#clock = clock;
    this.deadline = new Deadline(wheel, this);
  }

  onDeadline(): void {
    this.firedAtMs.push(this.#clock.nowMs());
  }
}

function setUp() {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock, clock);
  return { clock, wheel, owner: () => new Owner(wheel, clock) };
}

describe('a deadline', () => {
  it.each([1, 19, 20, 21, 5000, 60_000, 81_920, 200_000, 3_600_000])(
    'set to %d ms fires once, not earlier and at most a tick later',
    (ms) => {
      const { clock, owner } = setUp();
      const setAtMs = 107.3;
      clock.advance(setAtMs);
      const { deadline, firedAtMs } = owner();
      deadline.set(ms);
      clock.advance(2 * ms + 1000);
      expect(firedAtMs).toHaveLength(1);
      expect(firedAtMs[0]).toBeGreaterThanOrEqual(setAtMs + ms);
      expect(firedAtMs[0]).toBeLessThanOrEqual(setAtMs + ms + TICK_MS);
      expect(deadline.isArmed).toBe(false);
    },
  );

  it.each([0, -5])('set to %d ms fires at the next tick', (ms) => {
    const { clock, owner } = setUp();
    clock.advance(105);
    const { deadline, firedAtMs } = owner();
    deadline.set(ms);
    clock.advance(TICK_MS);
    expect(firedAtMs).toEqual([120]);
  });

  it('set to Infinity is disarmed', () => {
    const { clock, wheel, owner } = setUp();
    const { deadline, firedAtMs } = owner();
    deadline.set(100);
    deadline.set(Number.POSITIVE_INFINITY);
    expect([deadline.isArmed, wheel.size]).toEqual([false, 0]);
    clock.advance(1000);
    expect(firedAtMs).toEqual([]);
  });

  it('set again later fires at the later time only', () => {
    const { clock, owner } = setUp();
    const { deadline, firedAtMs } = owner();
    for (let i = 0; i < 50; i++) {
      deadline.set(100);
      clock.advance(90);
    }
    clock.advance(1000);
    expect(firedAtMs).toEqual([49 * 90 + 110]);
  });

  it('set again earlier fires at the earlier time only', () => {
    const { clock, owner } = setUp();
    const { deadline, firedAtMs } = owner();
    deadline.set(60_000);
    deadline.set(100);
    clock.advance(100_000);
    expect(firedAtMs).toEqual([100]);
  });

  it('cleared does not fire, and fires when it is set once more', () => {
    const { clock, owner } = setUp();
    const { deadline, firedAtMs } = owner();
    deadline.set(100);
    deadline.clear();
    clock.advance(50);
    deadline.set(200);
    deadline.clear();
    clock.advance(1000);
    expect(firedAtMs).toEqual([]);
    deadline.set(40);
    clock.advance(1000);
    expect(firedAtMs).toEqual([1100]);
  });

  it('can be set by its own owner when it fires', () => {
    const { clock, wheel } = setUp();
    const firedAtMs: number[] = [];
    const deadline = new Deadline(wheel, {
      onDeadline: (fired) => {
        firedAtMs.push(clock.nowMs());
        if (firedAtMs.length < 3) fired.set(firedAtMs.length === 1 ? 0 : 50);
      },
    });
    deadline.set(10);
    clock.advance(1000);
    expect(firedAtMs).toEqual([20, 40, 100]);
  });

  it('cancelled or cleared by an owner of the same tick does not fire', () => {
    const { clock, wheel, owner } = setUp();
    const later = [owner(), owner(), owner()];
    const first = new Deadline(wheel, {
      onDeadline: () => {
        later[0]?.deadline.cancel();
        later[1]?.deadline.clear();
      },
    });
    first.set(100);
    for (const each of later) each.deadline.set(100);
    clock.advance(200);
    expect(later.map((each) => each.firedAtMs)).toEqual([[], [], [100]]);
  });
});

describe('the wheel', () => {
  it('fires deadlines in the order of their ticks, and within a tick in the order they were set', () => {
    const { clock, wheel } = setUp();
    const fired: string[] = [];
    const set = (name: string, ms: number) =>
      new Deadline(wheel, { onDeadline: () => void fired.push(name) }).set(ms);
    set('c', 95);
    set('a', 30);
    set('d', 90);
    set('b', 39);
    clock.advance(1000);
    expect(fired).toEqual(['a', 'b', 'c', 'd']);
  });

  it('fires everything that became due while the event loop stood still', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock, { sleep: () => undefined, cancel: () => {} });
    const owners = [10, 5000, 81_000, 300_000].map((ms) => {
      const owner = new Owner(wheel, clock);
      owner.deadline.set(ms);
      return owner;
    });
    clock.advance(400_000);
    wheel.advance();
    expect(owners.map((owner) => owner.firedAtMs)).toEqual(owners.map(() => [400_000]));
  });

  it('fires the other deadlines of a tick when an owner throws, and reports what it threw', () => {
    const { clock, wheel, owner } = setUp();
    const errors: unknown[] = [];
    wheel.onError = (error) => errors.push(error);
    const before = owner();
    before.deadline.set(50);
    new Deadline(wheel, {
      onDeadline: () => {
        throw new Error('a bug');
      },
    }).set(50);
    const after = owner();
    after.deadline.set(50);
    clock.advance(100);
    expect([before.firedAtMs, after.firedAtMs]).toEqual([[60], [60]]);
    expect(errors).toEqual([new Error('a bug')]);
  });

  it('counts the armed deadlines', () => {
    const { clock, wheel, owner } = setUp();
    const [a, b, c] = [owner().deadline, owner().deadline, owner().deadline];
    a.set(10);
    a.set(20);
    b.set(10);
    c.set(1000);
    expect(wheel.size).toBe(3);
    b.clear();
    b.clear();
    expect(wheel.size).toBe(2);
    clock.advance(100);
    expect(wheel.size).toBe(1);
    c.cancel();
    expect(wheel.size).toBe(0);
  });

  it('sleeps once, until the first occupied slot, and not at all when every deadline is cancelled', () => {
    const { clock, owner } = setUp();
    const deadlines = [60_000, 75_000, 500].map((ms) => {
      const { deadline } = owner();
      deadline.set(ms);
      return deadline;
    });
    expect([...clock.sleeps].map((sleep) => sleep.dueMs)).toEqual([500]);
    clock.advance(500);
    expect([...clock.sleeps].map((sleep) => sleep.dueMs)).toEqual([60_000]);
    for (const deadline of deadlines) deadline.cancel();
    clock.advance(60_000);
    expect(clock.sleeps.size).toBe(0);
  });

  it('wakes once for a deadline that is set a thousand times', () => {
    const { clock, owner } = setUp();
    let sleepCount = 0;
    const sleep = clock.sleep.bind(clock);
    clock.sleep = (delayMs, wake) => {
      sleepCount++;
      return sleep(delayMs, wake);
    };
    const { deadline } = owner();
    for (let i = 0; i < 1000; i++) {
      deadline.set(60_000);
      clock.advance(10);
      deadline.clear();
    }
    expect(sleepCount).toBe(1);
  });

  it('wakes once for each of two deadlines, the second set long after the first', () => {
    const { clock, owner } = setUp();
    owner().deadline.set(80_000);
    clock.advance(70_000);
    owner().deadline.set(60_000);
    clock.advance(10_000);
    expect([...clock.sleeps].map((sleep) => sleep.dueMs)).toEqual([130_000]);
  });

  it('fires nothing from within an owner that calls advance()', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock, { sleep: () => undefined, cancel: () => {} });
    const second = new Owner(wheel, clock);
    let firedWithin = -1;
    new Deadline(wheel, {
      onDeadline: () => {
        wheel.advance();
        firedWithin = second.firedAtMs.length;
      },
    }).set(50);
    second.deadline.set(90);
    clock.advance(1000);
    wheel.advance();
    expect([firedWithin, second.firedAtMs]).toEqual([0, [1000]]);
  });

  it('is not woken early by a sleep that ends too soon', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock, {
      sleep: (delayMs, wake) => clock.sleep(Math.max(1, delayMs - 3), wake),
      cancel: (sleep) => clock.cancel(sleep),
    });
    const owner = new Owner(wheel, clock);
    owner.deadline.set(500);
    clock.advance(1000);
    expect(owner.firedAtMs).toHaveLength(1);
    expect(owner.firedAtMs[0]).toBeGreaterThanOrEqual(500);
  });

  it('closed fires nothing, sleeps no more and takes no deadline', () => {
    const { clock, wheel, owner } = setUp();
    const [armed, late] = [owner(), owner()];
    armed.deadline.set(50);
    wheel.close();
    late.deadline.set(50);
    clock.advance(1000);
    wheel.advance();
    expect([armed.firedAtMs, late.firedAtMs, wheel.size, clock.sleeps.size]).toEqual([[], [], 0, 0]);
  });

  it('wakes by itself on the system clock, not early', async () => {
    const wheel = new TimerWheel();
    const startMs = performance.now();
    const keepAlive = setTimeout(() => {}, 10_000);
    const firedAtMs = await new Promise<number>((resolve) => {
      new Deadline(wheel, { onDeadline: () => resolve(performance.now()) }).set(30);
    });
    clearTimeout(keepAlive);
    wheel.close();
    expect(firedAtMs - startMs).toBeGreaterThanOrEqual(30);
  });

  it('agrees with a plain list of due times over random sets, clears and cancels', () => {
    const random = makeRandom(20261123);
    const { clock, wheel } = setUp();
    const dueAtMs = new Map<number, number>();
    const fired: { i: number; atMs: number }[] = [];
    const deadlines = Array.from(
      { length: 40 },
      (_, i) => new Deadline(wheel, { onDeadline: () => void fired.push({ i, atMs: clock.nowMs() }) }),
    );
    for (let step = 0; step < 20_000; step++) {
      const i = Math.floor(random() * deadlines.length);
      const deadline = deadlines[i]!;
      const action = random();
      if (action < 0.6) {
        const ms = random() < 0.3 ? random() * 300_000 : random() * 2000;
        deadline.set(ms);
        dueAtMs.set(i, clock.nowMs() + ms);
      } else if (action < 0.8) {
        if (action < 0.7) deadline.clear();
        else deadline.cancel();
        dueAtMs.delete(i);
      }
      clock.advance(random() < 0.01 ? random() * 100_000 : random() * 300);
      for (const { i, atMs } of fired.splice(0)) {
        expect(dueAtMs.get(i), `deadline ${i} fired`).toBeLessThanOrEqual(atMs);
        dueAtMs.delete(i);
      }
      const overdue = [...dueAtMs.values()].filter((dueMs) => dueMs + TICK_MS < clock.nowMs());
      expect(overdue).toEqual([]);
      expect(wheel.size).toBe(dueAtMs.size);
    }
  });
});

/** The same numbers from 0 to 1 for the same seed (a linear congruential generator). */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
