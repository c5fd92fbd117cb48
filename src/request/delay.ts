/*
 * Making a request wait for a time before it goes on: limit_req, auth_delay.
 */
import { Deadline, type DeadlineOwner } from '../core/timer-wheel.js';
import type { HttpRequest, Responder } from './http-request.js';
import type { Outcome } from './phase.js';

/**
 * Gives `outcome` after so many milliseconds. When the request is over before (its client has left), never: nothing
 * is held then.
 */
export function delayOutcome(request: HttpRequest, ms: number, outcome: Outcome): Promise<Outcome> {
  return new Promise((resolve) => {
    request.responder = new Delay(request, ms, () => resolve(outcome));
  });
}

class Delay implements Responder, DeadlineOwner {
  /** Whose connection fails by a defect that comes of it. */
  readonly served;
  private readonly request: HttpRequest;
  private readonly deadline: Deadline;
  private readonly whenPassed: () => void;

  constructor(request: HttpRequest, ms: number, whenPassed: () => void) {
    this.served = request.client.connection;
    this.request = request;
    this.whenPassed = whenPassed;
    this.deadline = new Deadline(request.context.wheel, this);
    this.deadline.set(ms);
  }

  abort(): void {
    this.deadline.cancel();
  }

  onDeadline(): void {
    this.request.responder = null;
    this.whenPassed();
  }
}
