/*
 * A response goes out no faster than so many bytes a second: limit_rate, and proxy_limit_rate, which has an upstream
 * read no faster.
 */
import { parseSizeBytes } from '../core/size.js';
import { Deadline, type DeadlineOwner } from '../core/timer-wheel.js';
import { BodyFilter } from './body-sink.js';
import { logErrorOf } from './error-line.js';
import type { HttpRequest } from './http-request.js';
import type { RequestText } from './location.js';

/** Holds back what would be too fast. What it holds is bounded by what one write brings: it is blocked meanwhile. */
export class RateLimiter extends BodyFilter implements DeadlineOwner {
  /** Whose connection fails by a defect that comes of it. */
  readonly served;
  private readonly request: HttpRequest;
  private readonly rate: number;
  private readonly after: number;
  private readonly startMs: number;
  private readonly deadline: Deadline;
  private held: Buffer[];
  private isEnded: boolean;
  /** Of the head, which goes out with what comes first: bytes that have no time yet. */
  private headLeft: number;
  /** Bytes that went on, the head's included. */
  private sent: number;

  /** `rate` bytes a second from `startMs` on, once `after` bytes have gone out; `headBytes` of a head come first. */
  constructor(request: HttpRequest, rate: number, after: number, startMs: number, headBytes = 0) {
    super();
    this.request = request;
    this.rate = rate;
    this.after = after;
    this.startMs = startMs;
    this.served = request.client.connection;
    this.deadline = new Deadline(request.context.wheel, this);
    this.held = [];
    this.isEnded = false;
    this.headLeft = headBytes;
    this.sent = 0;
  }

  /** The limiter of a response; null where nothing limits it. */
  static of(request: HttpRequest): RateLimiter | null {
    const { settings } = request.location;
    if (request.limitRate < 0) request.limitRate = bytesOf(settings.limitRate, request);
    if (request.limitRate === 0) return null;
    if (request.limitRateAfter < 0) request.limitRateAfter = bytesOf(settings.limitRateAfter, request);
    const { headBytes, limitRate: rate, limitRateAfter: after, startMs } = request;
    return new RateLimiter(request, rate, after, startMs, headBytes);
  }

  override write(bytes: Buffer, isBorrowed: boolean): void {
    if (this.held.length === 0 && this.letsHeadOut() && bytes.length <= this.allowance()) {
      this.sent += bytes.length;
      this.next.write(bytes, isBorrowed);
      return;
    }
    this.held.push(isBorrowed ? Buffer.from(bytes) : bytes);
    if (!this.deadline.isArmed) this.sendAllowed();
  }

  override flush(): void {
    if (this.letsHeadOut()) this.next.flush();
    else if (!this.deadline.isArmed) this.deadline.set(this.untilNextMs());
  }

  override end(): void {
    this.isEnded = true;
    if (this.held.length > 0) return;
    if (this.letsHeadOut()) this.next.end();
    else if (!this.deadline.isArmed) this.deadline.set(this.untilNextMs());
  }

  override get isBlocked(): boolean {
    return this.headLeft > 0 || this.held.length > 0 || this.next.isBlocked;
  }

  override abort(): void {
    this.deadline.cancel();
    this.held = [];
    this.next.abort();
  }

  onDeadline(): void {
    // A client that is too slow for the limit gets the rest when it has taken what it has.
    if (!this.next.isBlocked) this.goOn();
  }

  override onDrain(): void {
    if (!this.deadline.isArmed) this.goOn();
  }

  private goOn(): void {
    this.sendAllowed();
    if (!this.isEnded && !this.isBlocked) this.source.onDrain();
  }

  /** What may go out now. As nginx counts: each second since the start gives its bytes when it begins. */
  private allowance(): number {
    const seconds = Math.floor((this.request.context.clock.nowMs() - this.startMs) / 1000) + 1;
    return this.rate * seconds + this.after - this.sent;
  }

  /** Whether the head may go out now. */
  private letsHeadOut(): boolean {
    if (this.headLeft === 0) return true;
    const part = Math.min(this.headLeft, Math.max(0, this.allowance()));
    this.headLeft -= part;
    this.sent += part;
    return this.headLeft === 0;
  }

  private sendAllowed(): void {
    const hadHeadLeft = this.headLeft > 0;
    if (!this.letsHeadOut()) {
      this.deadline.set(this.untilNextMs());
      return;
    }
    if (this.held.length === 0) {
      if (!hadHeadLeft) return;
      if (this.isEnded) this.next.end();
      else this.next.flush();
      return;
    }
    let allowed = this.allowance();
    while (allowed > 0 && this.held.length > 0) {
      const bytes = this.held[0]!;
      const part = bytes.length <= allowed ? bytes : bytes.subarray(0, allowed);
      if (part === bytes) this.held.shift();
      else this.held[0] = bytes.subarray(allowed);
      allowed -= part.length;
      this.sent += part.length;
      this.next.write(part, false);
    }
    if (this.held.length > 0) {
      this.next.flush();
      this.deadline.set(this.untilNextMs());
    } else if (this.isEnded) this.next.end();
  }

  /** How long until a byte more may go out: when the second begins that allows it. */
  private untilNextMs(): number {
    const second = Math.floor((this.sent - this.after) / this.rate);
    return this.startMs + second * 1000 - this.request.context.clock.nowMs();
  }
}

/** A size in the text, evaluated now; 0 for none and for what is no size. */
export function bytesOf(text: RequestText | null, request: HttpRequest): number {
  const value = text === null ? '' : text.evaluate(request);
  if (value === '') return 0;
  try {
    return parseSizeBytes(value, 'm');
  } catch {
    logErrorOf(request, 'error', `invalid size "${value}"`);
    return 0;
  }
}
