/*
 * limit_rate: a response goes out no faster than so many bytes a second.
 */

import { parseSizeBytes } from '../core/size.js';
import { Deadline, type DeadlineOwner } from '../core/timer-wheel.js';
import { BodyFilter } from './body-sink.js';
import type { HttpRequest } from './http-request.js';

/** Holds back what would be too fast. What it holds is bounded by what one write brings: it is blocked meanwhile. */
export class RateLimiter extends BodyFilter implements DeadlineOwner {
  readonly served;
  private readonly request: HttpRequest;
  private readonly deadline: Deadline;
  private held: Buffer[];
  private isEnded: boolean;
  private sent: number;

  private constructor(request: HttpRequest) {
    super();
    this.request = request;
    this.served = request.client.connection;
    this.deadline = new Deadline(request.context.wheel, this);
    this.held = [];
    this.isEnded = false;
    this.sent = 0;
  }

  /** The limiter of a response; null where nothing limits it. */
  static of(request: HttpRequest): RateLimiter | null {
    const { limitRate, limitRateAfter } = request.location.settings;
    if (request.limitRate < 0)
      request.limitRate = limitRate === null ? 0 : bytesOf(limitRate.evaluate(request));
    if (request.limitRateAfter < 0)
      request.limitRateAfter = limitRateAfter === null ? 0 : bytesOf(limitRateAfter.evaluate(request));
    return request.limitRate === 0 ? null : new RateLimiter(request);
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    this.held.push(isBorrowed ? Buffer.from(bytes) : bytes);
    if (this.held.length === 1 && !this.deadline.isArmed) this.sendAllowed();
  }

  override end(): void {
    this.isEnded = true;
    if (this.held.length === 0) this.next.end();
  }

  override get isBlocked(): boolean {
    return this.held.length > 0 || this.next.isBlocked;
  }

  override abort(): void {
    this.deadline.cancel();
    this.held = [];
    this.next.abort();
  }

  onDeadline(): void {
    this.sendAllowed();
    if (!this.isBlocked && !this.isEnded) this.source.onDrain();
  }

  override onDrain(): void {
    if (this.held.length === 0) this.source.onDrain();
  }

  /** Sends what the time since the request's start allows, as nginx counts it: one second is granted ahead. */
  private sendAllowed(): void {
    const { limitRate, limitRateAfter, startMs } = this.request;
    const elapsed = Math.floor((this.request.context.clock.nowMs() - startMs) / 1000) + 1;
    let allowed = limitRate * elapsed + limitRateAfter - this.sent;
    while (allowed > 0 && this.held.length > 0) {
      const bytes = this.held[0]!;
      if (bytes.length <= allowed) this.held.shift();
      else this.held[0] = bytes.subarray(allowed);
      const part = bytes.length <= allowed ? bytes : bytes.subarray(0, allowed);
      allowed -= part.length;
      this.sent += part.length;
      this.next.write(part, false);
    }
    if (this.held.length > 0) {
      this.next.flush();
      this.deadline.set(Math.max(1, Math.ceil((-allowed * 1000) / limitRate) + 1000));
    } else if (this.isEnded) this.next.end();
  }
}

function bytesOf(text: string): number {
  if (text === '') return 0;
  try {
    return parseSizeBytes(text);
  } catch {
    return 0;
  }
}
