/*
 * The end of a client's connection: our side is said and ended, what still comes is read and thrown away until
 * the client ends too, so that no RST overtakes what it has yet to read (nginx: lingering_close).
 */
import type { Clock } from '../core/clock.js';
import { Deadline, type DeadlineOwner } from '../core/timer-wheel.js';
import type { Connection, ConnectionHandler } from '../net/connection.js';
import type { LocationSettings } from './settings.js';
import type { ServiceContext } from './virtual-server.js';

/** Takes a connection over to close it; `onClosed` is told when it is gone. */
export class LingeringClose implements ConnectionHandler, DeadlineOwner {
  readonly served: Connection;
  private readonly clock: Clock;
  private readonly onClosed: () => void;
  private readonly deadline: Deadline;
  /** Between two reads. */
  private readonly idleMs: number;
  private readonly untilMs: number;

  constructor(
    connection: Connection,
    { wheel, clock }: ServiceContext,
    settings: LocationSettings,
    onClosed: () => void,
  ) {
    this.served = connection;
    this.clock = clock;
    this.onClosed = onClosed;
    this.deadline = new Deadline(wheel, this);
    this.idleMs = settings.lingeringTimeoutMs;
    this.untilMs = clock.nowMs() + settings.lingeringTimeMs;
    this.deadline.set(Math.min(this.idleMs, settings.lingeringTimeMs));
    connection.handler = this;
    connection.leaveBuffer();
    connection.end();
    connection.resumeReading();
  }

  onBytes(): void {
    const leftMs = this.untilMs - this.clock.nowMs();
    if (leftMs <= 0) this.served.destroy();
    else this.deadline.set(Math.min(this.idleMs, leftMs));
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
