/*
 * The body of the request under way as it comes in from the client: to whoever receives it, thrown away where nobody
 * does, refused where it is none; and the 100 (Continue) that the client may wait for.
 */
import type { Clock } from '../core/clock.js';
import type { Deadline } from '../core/timer-wheel.js';
import { BodyKind } from '../http/h1/body-decoder.js';
import { MALFORMED } from '../http/h1/malformed.js';
import type { Connection } from '../net/connection.js';
import type { BodyReceiver, Intake } from './client-side.js';
import type { HttpRequest } from './http-request.js';
import { finalize } from './lifecycle.js';
import type { LocationSettings } from './settings.js';
import { TIMELINE } from './timeline.js';

/** The loop of the client's connection. */
export interface IntakeOwner {
  readonly connection: Connection;
  readonly clock: Clock;
  /** The request under way. */
  readonly request: HttpRequest | null;
  readonly settings: LocationSettings;
  /** Whether the request is still to be answered whole. */
  readonly isServing: boolean;
  /** Nothing more of the body is waited for, be it whole or given up. */
  onBodyOver(request: HttpRequest): void;
  logInfo(what: string): void;
}

/**
 * How long who passes a body on may leave `Expect: 100-continue` unanswered before we answer it ourselves.
 * differs from nginx: it answers at once, so that no origin can refuse a body before it is sent.
 */
const CONTINUE_MS = 1000;

const NO_BYTES = Buffer.alloc(0);

/** The incoming body of a connection's requests, one after the other. */
export class BodyIntake implements Intake {
  receiver: BodyReceiver | null;
  awaitsContinue: boolean;
  earlyBytes: Buffer;
  earlyStart: number;
  earlyEnd: number;
  private readonly owner: IntakeOwner;
  /** The connection's, armed here while a body is waited for. */
  private readonly deadline: Deadline;
  /** Whether this proxy sent a 100 of its own, so that the upstream's is one too many. */
  private hasSentContinue: boolean;
  /** Until when a body that nobody wants is read; 0: somebody may want it. */
  private discardUntilMs: number;

  constructor(owner: IntakeOwner, deadline: Deadline) {
    this.receiver = null;
    this.awaitsContinue = false;
    this.earlyBytes = NO_BYTES;
    this.earlyStart = 0;
    this.earlyEnd = 0;
    this.owner = owner;
    this.deadline = deadline;
    this.hasSentContinue = false;
    this.discardUntilMs = 0;
  }

  /** Whether what comes is read and thrown away. */
  get isDiscarding(): boolean {
    return this.discardUntilMs > 0;
  }

  /** A head is whole: bytes[start,end) are its body's beginning and whatever follows. @returns where that is, or MALFORMED */
  begin(request: HttpRequest, bytes: Buffer, start: number, end: number): number {
    const { head, body } = request;
    this.hasSentContinue = false;
    this.discardUntilMs = 0;
    let kind: number = BodyKind.none;
    if (head.isChunked) kind = BodyKind.chunked;
    else if (head.contentLength >= 0) kind = BodyKind.length;
    body.start(kind, head.contentLength);
    const after = body.decode(bytes, start, end);
    if (after === MALFORMED) return MALFORMED;
    request.requestBytes += after - start;
    this.awaitsContinue =
      head.expectsContinue && kind !== BodyKind.none && body.payloadEnd === body.payloadStart;
    this.earlyBytes = bytes;
    this.earlyStart = body.payloadStart;
    this.earlyEnd = body.payloadEnd;
    return after;
  }

  /** The handlers of a request have had their say: what becomes of its body until they say more. */
  settle(request: HttpRequest): void {
    const { body } = request;
    const { connection } = this.owner;
    if (this.receiver === null && !request.isResponseStarted) {
      if (this.earlyEnd > this.earlyStart) {
        this.earlyBytes = Buffer.from(this.earlyBytes.subarray(this.earlyStart, this.earlyEnd));
        this.earlyStart = 0;
        this.earlyEnd = this.earlyBytes.length;
      } else this.forgetEarlyBytes();
      if (!body.isComplete) connection.pauseReading();
      return;
    }
    this.forgetEarlyBytes();
    if (!body.isComplete && this.discardUntilMs === 0) connection.takeBuffer();
  }

  /** The answer is out: nobody wants more of the body. */
  end(): void {
    this.receiver = null;
    this.forgetEarlyBytes();
  }

  /** More of a body that isn't whole. @returns where what follows it begins, or MALFORMED */
  decode(request: HttpRequest, bytes: Buffer, end: number): number {
    const { body } = request;
    const after = body.decode(bytes, 0, end);
    if (after === MALFORMED) return MALFORMED;
    request.requestBytes += after;
    this.awaitsContinue = false;
    if (body.isComplete) {
      this.deadline.clear();
      TIMELINE.of(request)?.endBody(this.owner.clock.nowMs());
    }
    return after;
  }

  /** Gives on what `decode` has found in `bytes`. */
  pass(request: HttpRequest, bytes: Buffer): void {
    if (this.discardUntilMs > 0) {
      this.discard(request);
      return;
    }
    const { body } = request;
    const { isComplete } = body;
    const { receiver } = this;
    const { connection } = this.owner;
    if (receiver === null) {
      // Who wanted it has given up. Behind a whole answer it is read on, so that its client comes to reading that.
      if (this.owner.isServing) connection.pauseReading();
      return;
    }
    const isTaken = receiver.onPayload(bytes, body.payloadStart, body.payloadEnd);
    if (!isComplete) return;
    if (isTaken) connection.releaseBuffer();
    else connection.leaveBuffer();
  }

  /** Nobody wants what was read of the body. */
  private discard(request: HttpRequest): void {
    const leftMs = this.discardUntilMs - this.owner.clock.nowMs();
    if (request.body.isComplete) this.owner.onBodyOver(request);
    else if (leftMs > 0) this.deadline.set(Math.min(leftMs, this.owner.settings.lingeringTimeoutMs));
    else this.stopDiscarding(request);
  }

  /** From now on reads and throws away what comes of the body, so that the connection may serve another request. */
  startDiscarding(): void {
    const { lingeringTimeMs, lingeringTimeoutMs } = this.owner.settings;
    const { connection } = this.owner;
    this.discardUntilMs = this.owner.clock.nowMs() + lingeringTimeMs;
    this.deadline.set(Math.min(lingeringTimeMs, lingeringTimeoutMs));
    connection.leaveBuffer();
    connection.resumeReading();
  }

  /** The client takes too long to send what nobody wants. */
  stopDiscarding(request: HttpRequest): void {
    request.keepsAlive = false;
    this.owner.connection.pauseReading();
    this.owner.onBodyOver(request);
  }

  /** An answer has begun, and perhaps nobody has asked for the body. */
  noteAnswer(request: HttpRequest): void {
    if (this.receiver !== null || !request.isResponseStarted || request.body.isComplete) return;
    if (this.discardUntilMs === 0 && request.keepsAlive && !this.awaitsContinue) this.startDiscarding();
  }

  /** The body can't be had: answers with `status`, or breaks off what was begun. */
  fail(request: HttpRequest, status: number, why: string): void {
    const { owner } = this;
    owner.logInfo(why);
    request.keepsAlive = false;
    request.isBodyRefused = true;
    request.payload?.giveUp();
    this.receiver = null;
    owner.connection.pauseReading();
    if (!owner.isServing || this.discardUntilMs > 0) {
      this.stopDiscarding(request);
      return;
    }
    const { failBody } = request;
    request.failBody = null;
    if (failBody !== null && !request.isResponseStarted) {
      failBody(status);
      return;
    }
    request.responder?.abort();
    request.responder = null;
    finalize(request, status);
  }

  /**
   * Whether a body that isn't whole is better left unread: only a close tells what follows from a request when it may
   * come or not (the client waits for a 100), and one that was wanted until now may be of any size. One that is still
   * being passed on comes to its end beside the answer.
   */
  isUncertain(request: HttpRequest): boolean {
    if (this.awaitsContinue || request.payload !== null) return true;
    return request.isPayloadSpent && this.receiver === null;
  }

  sendContinue(): void {
    if (!this.awaitsContinue) return;
    this.awaitsContinue = false;
    this.hasSentContinue = true;
    this.owner.connection.writeText('HTTP/1.1 100 Continue\r\n\r\n');
    this.armDeadline();
  }

  noteContinue(): boolean {
    if (this.awaitsContinue) {
      this.awaitsContinue = false;
      this.armDeadline();
    }
    return !this.hasSentContinue;
  }

  /** Waits for more of the body, if more of it is to come. */
  armDeadline(): void {
    if (this.owner.request!.body.isComplete) return;
    this.deadline.set(this.awaitsContinue ? CONTINUE_MS : this.owner.settings.clientBodyTimeoutMs);
  }

  /** The deadline passed. `timedOut`: what is said of it. */
  checkDeadline(request: HttpRequest, timedOut: string): void {
    if (this.discardUntilMs > 0) this.stopDiscarding(request);
    else if (!this.owner.isServing || this.receiver === null || request.body.isComplete) return;
    else if (this.awaitsContinue) this.sendContinue();
    else if (!this.owner.connection.isReadingPaused)
      this.fail(request, 408, `${timedOut} while reading client request body`);
  }

  private forgetEarlyBytes(): void {
    this.earlyBytes = NO_BYTES;
    this.earlyStart = 0;
    this.earlyEnd = 0;
  }
}
