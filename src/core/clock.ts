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

/**
 * The machine's monotonic time as of the event being handled, like nginx's cached time. Whatever takes an
 * event from the event loop (a socket's, a timer's) calls `refresh` first; what it calls in turn reads a
 * number. perf: ten looks at the clock a request were 4 % of its CPU time.
 */
export class EventClock implements Clock {
  #nowMs: number;

  constructor() {
    this.#nowMs = performance.now();
  }

  refresh(): void {
    this.#nowMs = performance.now();
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return Date.now();
  }
}

/** The event clock of this thread. */
export const eventClock: EventClock = new EventClock();

/** What lies between the origin of this thread's clocks and one that all threads of the machine share. */
const sharedOriginMs = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

/** The whole milliseconds of a clock's `nowMs`, counted from an origin that all threads have in common. */
export function sharedMs(clock: Clock): number {
  return Math.floor(clock.nowMs() + sharedOriginMs);
}
