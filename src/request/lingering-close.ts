/*
 * The end of a client's connection: our side is said and ended, what still comes is read and thrown away until
 * the client ends too, so that no RST overtakes what it has yet to read (nginx: lingering_close). Or our side isn't ended,
 * since that would look like the end of an answer that broke off, and a RST comes once the client has had its time.
 */
import type { Clock } from '../core/clock.js';
import { Deadline, type DeadlineOwner } from '../core/timer-wheel.js';
import type { Connection, ConnectionHandler } from '../net/connection.js';
import type { LocationSettings } from './settings.js';
import type { ServiceContext } from './virtual-server.js';

/** How long a client has to read what was sent of a broken answer: a RST has the system drop what is still on its way. */
const RESET_AFTER_MS = 1000;

/** Takes a connection over to close it; `onClosed` is told when it is gone. */
export class LingeringClose implements ConnectionHandler, DeadlineOwner {
  readonly served: Connection;
  private readonly clock: Clock;
  private readonly onClosed: () => void;
  private readonly deadline: Deadline;
  /** Between two reads. */
  private readonly idleMs: number;
  private readonly untilMs: number;
  private readonly endsByReset: boolean;

  constructor(
    connection: Connection,
    { wheel, clock }: ServiceContext,
    settings: LocationSettings,
    endsByReset: boolean,
    onClosed: () => void,
  ) {
    this.served = connection;
    this.clock = clock;
    this.onClosed = onClosed;
    this.deadline = new Deadline(wheel, this);
    this.idleMs = settings.lingeringTimeoutMs;
    this.untilMs = clock.nowMs() + settings.lingeringTimeMs;
    this.endsByReset = endsByReset;
    this.deadline.set(endsByReset ? RESET_AFTER_MS : Math.min(this.idleMs, settings.lingeringTimeMs));
    connection.handler = this;
    connection.leaveBuffer();
    if (!endsByReset) connection.end();
    connection.resumeReading();
  }

  onBytes(): void {
    if (this.endsByReset) return;
    const leftMs = this.untilMs - this.clock.nowMs();
    if (leftMs <= 0) this.served.destroy();
    else this.deadline.set(Math.min(this.idleMs, leftMs));
  }

  onEnd(): void {
    if (!this.endsByReset) this.served.destroy();
  }

  onDrain(): void {}

  onClose(): void {
    this.deadline.cancel();
    this.onClosed();
  }

  onDeadline(): void {
    if (this.endsByReset) this.served.reset();
    else this.served.destroy();
  }
}
