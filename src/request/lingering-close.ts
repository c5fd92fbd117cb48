/*
 * The end of a client's connection: our side is said and ended, what still comes is read and thrown away until
 * the client ends too, so that no RST overtakes what it has yet to read (nginx: lingering_close).
 */
import type { Clock } from '../core/clock.js';
import { Deadline, type DeadlineOwner, type TimerWheel } from '../core/timer-wheel.js';
import type { Connection, ConnectionHandler } from '../net/connection.js';

/** lingering_timeout and lingering_time of nginx: between two reads, and in all. */
const IDLE_MS = 5000;
const TOTAL_MS = 30000;

/** Takes a connection over to close it; `onClosed` is told when it is gone. */
export class LingeringClose implements ConnectionHandler, DeadlineOwner {
  readonly served: Connection;
  private readonly clock: Clock;
  private readonly onClosed: () => void;
  private readonly deadline: Deadline;
  private readonly untilMs: number;

  constructor(connection: Connection, wheel: TimerWheel, clock: Clock, onClosed: () => void) {
    this.served = connection;
    this.clock = clock;
    this.onClosed = onClosed;
    this.deadline = new Deadline(wheel, this);
    this.untilMs = clock.nowMs() + TOTAL_MS;
    this.deadline.set(IDLE_MS);
    connection.handler = this;
    connection.leaveBuffer();
    connection.end();
    connection.resumeReading();
  }

  onBytes(): void {
    const leftMs = this.untilMs - this.clock.nowMs();
    if (leftMs <= 0) this.served.destroy();
    else this.deadline.set(Math.min(IDLE_MS, leftMs));
  }

  onEnd(): void {
    this.served.destroy();
  }

  onDrain(): void {}

  onClose(): void {
    this.deadline.cancel();
    this.onClosed();
  }

  onDeadline(): void {
    this.served.destroy();
  }
}
