/*
 * Where requests wait for a peer when none can be had at once (nginx Plus: queue), first come, first served in each
 * worker. How many there may be counts for all workers together.
 */
import type { Clock } from '../core/clock.js';
import { Deadline, type DeadlineOwner, type TimerWheel } from '../core/timer-wheel.js';
import type { DefectReporter } from '../net/connection.js';
import { WaitingPlaces } from './waiting-places.js';

/** How often it is looked whether a peer has become usable that nobody tells of: one whose fail_timeout has passed. */
const LOOK_MS = 250;

/** A request that waits. */
export interface PeerWaiter {
  /** Takes a peer if one can be had now, and leaves the room then. Whether it has one. */
  tryPeer(): boolean;
  /** It has waited in vain. */
  onNoPeer(): void;
}

export interface WaitingRules {
  /** How many may wait. */
  readonly limit: number;
  /** For how long. */
  readonly timeoutMs: number;
  /** Where they are counted with those of other workers; left out: by themselves. */
  readonly places?: WaitingPlaces;
}

export class WaitingRoom implements DeadlineOwner {
  private readonly rules: WaitingRules;
  private readonly clock: Clock;
  private readonly onDefect: DefectReporter;
  private readonly deadline: Deadline;
  /** In the order they came, each with the time it has. */
  private readonly waiters: Map<PeerWaiter, number>;
  private readonly places: WaitingPlaces;
  private isWoken: boolean;
  private isListening: boolean;

  constructor(rules: WaitingRules, wheel: TimerWheel, clock: Clock, onDefect: DefectReporter) {
    this.rules = rules;
    this.clock = clock;
    this.onDefect = onDefect;
    this.deadline = new Deadline(wheel, this);
    this.waiters = new Map();
    this.places = rules.places ?? new WaitingPlaces();
    this.isWoken = false;
    this.isListening = false;
  }

  /** How many may wait. */
  get limit(): number {
    return this.rules.limit;
  }

  /** How many wait, in all workers. */
  get size(): number {
    return this.places.waiting;
  }

  /** How many found no room, likewise. */
  get overflows(): number {
    return this.places.overflows;
  }

  clearOverflows(): void {
    this.places.clearOverflows();
  }

  /** False if there is no room. */
  enter(waiter: PeerWaiter): boolean {
    if (!this.places.take(this.rules.limit)) return false;
    this.waiters.set(waiter, this.clock.nowMs() + this.rules.timeoutMs);
    if (!this.deadline.isArmed) this.rest();
    if (this.places.isShared && !this.isListening) {
      this.listen();
      // A peer may have become free elsewhere before this one listened.
      this.wake();
    }
    return true;
  }

  /** It waits no longer. */
  leave(waiter: PeerWaiter): void {
    if (this.waiters.delete(waiter)) this.places.giveBack();
  }

  /** A peer may be free now: those in front get it as soon as what is going on is done. */
  wake(): void {
    if (this.isWoken) return;
    if (this.waiters.size === 0) {
      this.places.ring();
      return;
    }
    this.isWoken = true;
    process.nextTick(() => {
      this.isWoken = false;
      this.serve();
      if (this.waiters.size === 0) this.places.ring();
    });
  }

  private listen(): void {
    this.isListening = true;
    this.places.listen(() => {
      this.isListening = false;
      if (this.waiters.size > 0) this.listen();
      this.wake();
    });
  }

  /** There will be no other peers: whoever can't have one now has waited in vain. */
  settle(): void {
    this.deadline.cancel();
    this.serve();
    for (const waiter of [...this.waiters.keys()]) this.refuse(waiter);
  }

  onDeadline(): void {
    const nowMs = this.clock.nowMs();
    this.serve();
    for (const [waiter, dueMs] of this.waiters) {
      if (dueMs > nowMs) break;
      this.refuse(waiter);
    }
    if (this.waiters.size > 0) this.rest();
  }

  private rest(): void {
    const [firstDueMs] = this.waiters.values();
    this.deadline.set(Math.min(LOOK_MS, Math.max(0, firstDueMs! - this.clock.nowMs())));
  }

  private serve(): void {
    for (const waiter of this.waiters.keys()) {
      try {
        if (!waiter.tryPeer()) return;
      } catch (defect) {
        this.leave(waiter);
        this.onDefect(defect);
      }
    }
  }

  private refuse(waiter: PeerWaiter): void {
    this.leave(waiter);
    try {
      waiter.onNoPeer();
    } catch (defect) {
      this.onDefect(defect);
    }
  }
}
