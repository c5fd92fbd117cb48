/*
 * The one source of time. Everything that waits, expires or prints a time takes a Clock, so that a
 * test can turn it. Timers are not here: see timer-wheel.ts.
 */

export interface Clock {
  /** Monotonic milliseconds with a fraction, from an arbitrary origin: for durations and deadlines. */
  nowMs(): number;
  /** Unix milliseconds: for what is printed or sent. May jump when the system's time is set. */
  wallMs(): number;
}

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};
