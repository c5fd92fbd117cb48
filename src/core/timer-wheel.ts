/*
 * One hashed wheel for every deadline of a worker: arming, re-arming and disarming are a few field
 * writes, because almost no deadline of a healthy connection ever fires. It sleeps until the next
 * occupied slot, and not at all when none is. What a deadline means is its owner's business.
 */

import { type Clock, eventClock, systemClock } from './clock.js';

/** Length of a tick: how late a deadline may fire, beside the lateness of the event loop. */
const TICK_MS = 20;

/**
 * Slots of the wheel, a power of two. 4096 ticks are 82 s, so that the usual 60 s and 75 s timeouts
 * hang in the slot they are due in; a longer one waits in the farthest slot and is hung up again.
 */
const SLOT_COUNT = 4096;
const SLOT_MASK = SLOT_COUNT - 1;
const FARTHEST_TICKS = SLOT_COUNT - 1;
const WORD_COUNT = SLOT_COUNT / 32;

/** In place of a tick: not armed, not linked, not asleep. */
const NO_TICK = -1;

/** What is called when a deadline has passed. The deadline is disarmed by then and may be set again. */
export interface DeadlineOwner {
  onDeadline(deadline: Deadline): void;
}

/** How the wheel sleeps. A test passes one that it wakes itself. */
export interface Sleeper {
  /** Calls wake once after delayMs; the answer is what cancel() takes. */
  sleep(delayMs: number, wake: () => void): unknown;
  cancel(sleep: unknown): void;
}

/** Sleeps by setTimeout, without keeping the process alive: sockets do that. */
const systemSleeper: Sleeper = {
  sleep: (delayMs, wake) => setTimeout(wake, delayMs).unref(),
  cancel: (sleep) => clearTimeout(sleep as NodeJS.Timeout),
};

/**
 * The wheel. Ticks are counted from its construction; a slot holds deadlines of one tick only,
 * since none is linked farther than a turn ahead of the last tick that was handled.
 */
export class TimerWheel {
  /** Gets what an owner threw; the other deadlines of the tick fire all the same. */
  onError: (error: unknown) => void;
  readonly #clock: Clock;
  readonly #sleeper: Sleeper;
  readonly #originMs: number;
  readonly #slots: (Deadline | null)[];
  /** One bit a slot, set when it is occupied. */
  readonly #occupied: Int32Array;
  readonly #wake: () => void;
  #linkedCount: number;
  #armedCount: number;
  /** The last tick that was handled: nothing is linked at or before it. */
  #handledTick: number;
  /** The tick the sleep ends at, NO_TICK while awake. Never later than the first occupied slot. */
  #wakeTick: number;
  #sleep: unknown;
  #isAdvancing: boolean;
  #isClosed: boolean;

  constructor(clock: Clock = systemClock, sleeper: Sleeper = systemSleeper) {
    this.onError = throwLater;
    this.#clock = clock;
    this.#sleeper = sleeper;
    this.#originMs = clock.nowMs();
    this.#slots = new Array<Deadline | null>(SLOT_COUNT).fill(null);
    this.#occupied = new Int32Array(WORD_COUNT);
    this.#linkedCount = 0;
    this.#armedCount = 0;
    this.#handledTick = 0;
    this.#wakeTick = NO_TICK;
    this.#sleep = undefined;
    this.#isAdvancing = false;
    this.#isClosed = false;
    this.#wake = () => {
      this.#wakeTick = NO_TICK;
      this.#sleep = undefined;
      eventClock.refresh();
      this.advance();
    };
  }

  /** How many deadlines are armed. */
  get size(): number {
    return this.#armedCount;
  }

  /** Fires what is due. The wheel's own sleep calls it; a test may. Ignored from within onDeadline. */
  advance(): void {
    if (this.#isAdvancing || this.#isClosed) return;
    this.#isAdvancing = true;
    const nowTick = Math.floor((this.#clock.nowMs() - this.#originMs) / TICK_MS);
    let tick = this.#nextOccupiedTick();
    while (tick !== NO_TICK && tick <= nowTick) {
      this.#handledTick = tick;
      this.#fireSlot(tick);
      tick = this.#nextOccupiedTick();
    }
    if (nowTick > this.#handledTick) this.#handledTick = nowTick;
    this.#isAdvancing = false;
    this.#sleepUntil(tick);
  }

  /** Disarms every deadline and stops the sleep. Deadlines set afterwards never fire. */
  close(): void {
    this.#isClosed = true;
    this.#sleepUntil(NO_TICK);
    for (let tick = this.#nextOccupiedTick(); tick !== NO_TICK; tick = this.#nextOccupiedTick()) {
      const first = this.#slots[tick & SLOT_MASK];
      if (first) this.cancel(first);
    }
  }

  /** @internal Deadline.set */
  arm(deadline: Deadline, ms: number): void {
    if (ms === Number.POSITIVE_INFINITY || this.#isClosed) {
      this.disarm(deadline);
      return;
    }
    const sinceOriginMs = this.#clock.nowMs() - this.#originMs;
    let dueTick = Math.ceil((ms > 0 ? sinceOriginMs + ms : sinceOriginMs) / TICK_MS);
    if (dueTick <= this.#handledTick) dueTick = this.#handledTick + 1;
    if (deadline.dueTick === NO_TICK) this.#armedCount++;
    deadline.dueTick = dueTick;
    if (deadline.linkedTick !== NO_TICK) {
      if (deadline.linkedTick <= dueTick) return;
      this.#unlink(deadline);
    }
    this.#catchUp(Math.floor(sinceOriginMs / TICK_MS));
    this.#link(deadline);
  }

  /** @internal Deadline.clear */
  disarm(deadline: Deadline): void {
    if (deadline.dueTick === NO_TICK) return;
    deadline.dueTick = NO_TICK;
    this.#armedCount--;
  }

  /** @internal Deadline.cancel */
  cancel(deadline: Deadline): void {
    this.disarm(deadline);
    if (deadline.linkedTick !== NO_TICK) this.#unlink(deadline);
  }

  /** One at a time from the front, since an owner may cancel or set any other deadline. */
  #fireSlot(tick: number): void {
    const slot = tick & SLOT_MASK;
    for (let first = this.#slots[slot]; first; first = this.#slots[slot]) {
      this.#unlink(first);
      if (first.dueTick === NO_TICK) continue;
      if (first.dueTick > tick) {
        this.#link(first);
        continue;
      }
      this.disarm(first);
      try {
        first.owner.onDeadline(first);
      } catch (error) {
        this.onError(error);
      }
    }
  }

  /** Ticks that passed while no slot was due need no handling: the turn then starts from now. */
  #catchUp(nowTick: number): void {
    if (this.#isAdvancing) return;
    const lastEmptyTick = this.#wakeTick === NO_TICK ? nowTick : Math.min(nowTick, this.#wakeTick - 1);
    if (lastEmptyTick > this.#handledTick) this.#handledTick = lastEmptyTick;
  }

  #link(deadline: Deadline): void {
    const tick = Math.min(deadline.dueTick, this.#handledTick + FARTHEST_TICKS);
    const slot = tick & SLOT_MASK;
    const first = this.#slots[slot];
    if (first) {
      const last = first.previous;
      deadline.next = first;
      deadline.previous = last;
      last.next = deadline;
      first.previous = deadline;
    } else {
      this.#slots[slot] = deadline;
      this.#occupied[slot >>> 5]! |= 1 << (slot & 31);
    }
    deadline.linkedTick = tick;
    this.#linkedCount++;
    if (!this.#isAdvancing && (this.#wakeTick === NO_TICK || tick < this.#wakeTick)) this.#sleepUntil(tick);
  }

  #unlink(deadline: Deadline): void {
    const slot = deadline.linkedTick & SLOT_MASK;
    const next = deadline.next;
    if (next === deadline) {
      this.#slots[slot] = null;
      this.#occupied[slot >>> 5]! &= ~(1 << (slot & 31));
    } else {
      const previous = deadline.previous;
      previous.next = next;
      next.previous = previous;
      if (this.#slots[slot] === deadline) this.#slots[slot] = next;
      deadline.next = deadline;
      deadline.previous = deadline;
    }
    deadline.linkedTick = NO_TICK;
    this.#linkedCount--;
  }

  /** The first occupied tick after the handled one, looking at 32 slots at once. */
  #nextOccupiedTick(): number {
    if (this.#linkedCount === 0) return NO_TICK;
    const from = this.#handledTick + 1;
    const fromSlot = from & SLOT_MASK;
    let word = fromSlot >>> 5;
    let bits = this.#occupied[word]! & (-1 << (fromSlot & 31));
    // One word more than there are: the first is looked at again, for its slots before fromSlot.
    for (let left = WORD_COUNT; bits === 0 && left > 0; left--) {
      word = (word + 1) % WORD_COUNT;
      bits = this.#occupied[word]!;
    }
    const slot = (word << 5) + (31 - Math.clz32(bits & -bits));
    return from + ((slot - fromSlot) & SLOT_MASK);
  }

  #sleepUntil(tick: number): void {
    if (tick === this.#wakeTick) return;
    if (this.#wakeTick !== NO_TICK) this.#sleeper.cancel(this.#sleep);
    this.#wakeTick = tick;
    this.#sleep = undefined;
    if (tick === NO_TICK) return;
    const delayMs = this.#originMs + tick * TICK_MS - this.#clock.nowMs();
    this.#sleep = this.#sleeper.sleep(Math.max(1, Math.ceil(delayMs)), this.#wake);
  }
}

/**
 * One deadline, made once for its owner and set again and again. While it is linked the wheel holds
 * its owner: call cancel() when the owner dies.
 */
export class Deadline {
  /** @internal */
  readonly owner: DeadlineOwner;
  /** @internal Neighbours in the slot's ring; itself when alone or unlinked. */
  next: Deadline;
  /** @internal */
  previous: Deadline;
  /** @internal When it is due, NO_TICK when disarmed. */
  dueTick: number;
  /** @internal The slot it hangs in, at or before dueTick; NO_TICK when in none. */
  linkedTick: number;
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel, owner: DeadlineOwner) {
    this.owner = owner;
    this.next = this;
    this.previous = this;
    this.dueTick = NO_TICK;
    this.linkedTick = NO_TICK;
    this.#wheel = wheel;
  }

  get isArmed(): boolean {
    return this.dueTick !== NO_TICK;
  }

  /**
   * Arms or re-arms it: due in ms, never earlier, at most a tick and the event loop's lateness later.
   * Nothing or less than nothing is the next tick, Infinity is clear().
   */
  set(ms: number): void {
    this.#wheel.arm(this, ms);
  }

  /** Disarms it. It stays in its slot until that comes up, so that the next set() is one write. */
  clear(): void {
    this.#wheel.disarm(this);
  }

  /** Disarms it and lets go of its owner at once. */
  cancel(): void {
    this.#wheel.cancel(this);
  }
}

/** Without a hook a bug must not vanish: it is thrown where no other deadline is in the way. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
