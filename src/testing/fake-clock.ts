/*
 * A clock that a test turns. Pass it twice to a TimerWheel, as clock and as sleeper, and advance()
 * also wakes the wheel at the moments it asked for.
 */

import type { Clock } from '../core/clock.js';
import type { Sleeper } from '../core/timer-wheel.js';

interface FakeSleep {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time that stands still until it is told to go on. */
export class FakeClock implements Clock, Sleeper {
  /** Who sleeps on this clock: a test of "no wake-up when idle" looks at it. */
  readonly sleeps: Set<FakeSleep>;
  #nowMs: number;
  #wallMs: number;

  /** wallMs is the Unix time to start at, by default 2026-11-23 17:22:12 UTC. */
  constructor(wallMs = Date.UTC(2026, 10, 23, 17, 22, 12)) {
    this.sleeps = new Set();
    this.#nowMs = 0;
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  /** Moves both times on by ms, stopping at every sleep that ends on the way. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let first = this.#firstDue(endMs); first !== null; first = this.#firstDue(endMs)) {
      this.#moveTo(Math.max(first.dueMs, this.#nowMs));
      this.sleeps.delete(first);
      first.wake();
    }
    this.#moveTo(endMs);
  }

  sleep(delayMs: number, wake: () => void): unknown {
    const sleep: FakeSleep = { dueMs: this.#nowMs + delayMs, wake };
    this.sleeps.add(sleep);
    return sleep;
  }

  cancel(sleep: unknown): void {
    this.sleeps.delete(sleep as FakeSleep);
  }

  #firstDue(endMs: number): FakeSleep | null {
    let first: FakeSleep | null = null;
    for (const sleep of this.sleeps) {
      if (sleep.dueMs <= endMs && (first === null || sleep.dueMs < first.dueMs)) first = sleep;
    }
    return first;
  }

  #moveTo(nowMs: number): void {
    this.#wallMs += nowMs - this.#nowMs;
    this.#nowMs = nowMs;
  }
}
